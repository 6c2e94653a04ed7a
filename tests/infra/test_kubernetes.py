"""Manifests: built by kustomize, valid for the API, and no wider than needed."""

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from kubernetes import client

KUBERNETES = Path(__file__).parents[2] / "infra" / "kubernetes"
_MODELS = {
    "ConfigMap": "V1ConfigMap",
    "Deployment": "V1Deployment",
    "LimitRange": "V1LimitRange",
    "Namespace": "V1Namespace",
    "NetworkPolicy": "V1NetworkPolicy",
    "PodDisruptionBudget": "V1PodDisruptionBudget",
    "ResourceQuota": "V1ResourceQuota",
    "Role": "V1Role",
    "RoleBinding": "V1RoleBinding",
    "Service": "V1Service",
    "ServiceAccount": "V1ServiceAccount",
}
# In the API since Kubernetes 1.29 (sidecars), after the models of kfp's client.
_NEWER = {("V1Container", "restartPolicy")}


def kustomize() -> list[str] | None:
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


def unfit(model: str, body: Any, path: str) -> list[str]:
    """What the OpenAPI model does not know, or wants in another type."""
    if model.startswith("list[") and isinstance(body, list):
        items = [(f"{path}[{index}]", each) for index, each in enumerate(body)]
        return [p for at, each in items for p in unfit(model[5:-1], each, at)]
    if model.startswith("dict(") and isinstance(body, dict):
        kind = model[5:-1].split(", ")[1]
        return [p for k, each in body.items() for p in unfit(kind, each, f"{path}.{k}")]
    scalar = {"str": str, "bool": bool, "int": int}.get(model)
    if body is None or (scalar is not None and isinstance(body, scalar)):
        return []
    if scalar is not None or not isinstance(body, dict):
        # IntOrString and quantities are objects to the generated models.
        return [] if model == "object" else [f"{path} is {body!r}, not {model}"]
    return unfit_object(getattr(client, model, None), body, path)


def unfit_object(model: Any, body: dict[str, Any], path: str) -> list[str]:
    if model is None:
        return []
    kinds = {model.attribute_map[k]: kind for k, kind in model.openapi_types.items()}
    problems = []
    for key, value in body.items():
        if key in kinds:
            problems += unfit(kinds[key], value, f"{path}.{key}")
        elif (model.__name__, key) not in _NEWER:
            problems.append(f"{path} has no field {key!r}")
    return problems


def parse(body: dict[str, Any]) -> None:
    """Raises where the model requires what is not there."""
    response = SimpleNamespace(data=json.dumps(body))
    client.ApiClient().deserialize(response, _MODELS[body["kind"]])


@pytest.fixture(scope="module", params=["dev", "prod"])
def objects(request) -> list[dict[str, Any]]:
    tool = kustomize()
    if tool is None:
        pytest.skip("neither kustomize nor kubectl is on this machine")
    done = subprocess.run(
        [*tool, str(KUBERNETES / "overlays" / request.param)],
        capture_output=True,
        text=True,
        check=True,
    )
    return list(yaml.safe_load_all(done.stdout))


def of_kind(objects, kind: str) -> list[dict[str, Any]]:
    found = [each for each in objects if each["kind"] == kind]
    assert found
    return found


def test_every_object_is_valid(objects):
    for each in objects:
        name = f"{each['kind']}/{each['metadata']['name']}"
        assert unfit(_MODELS[each["kind"]], each, name) == []
        parse(each)


def test_the_check_sees_a_misspelt_field():
    wrong = {"kind": "Service", "metadata": {"name": "x"}, "spec": {"port": []}}
    assert unfit("V1Service", wrong, "s") == ["s.spec has no field 'port'"]


@pytest.mark.parametrize(
    "path",
    sorted(KUBERNETES.rglob("*.yaml")),
    ids=lambda p: str(p.relative_to(KUBERNETES)),
)
def test_every_file_is_yaml_and_referred_to(path):
    assert list(yaml.safe_load_all(path.read_text()))
    if path.name != "kustomization.yaml":
        assert path.name in (path.parent / "kustomization.yaml").read_text()


def test_containers_are_locked_down(objects):
    (deployment,) = of_kind(objects, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in pod["initContainers"] + pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}


def test_our_image_is_pinned_by_digest(objects):
    (deployment,) = of_kind(objects, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    ours = [
        c["image"]
        for c in pod["initContainers"] + pod["containers"]
        if "effnetv2" in c["image"]
    ]
    assert len(ours) == 2
    assert all("@sha256:" in image for image in ours)


def test_roles_grant_no_wildcards_and_no_secrets(objects):
    for role in of_kind(objects, "Role"):
        for rule in role["rules"]:
            words = rule["verbs"] + rule["resources"] + rule["apiGroups"]
            assert "*" not in words
            assert "secrets" not in words


def test_nothing_may_talk_unless_listed(objects):
    policies = {
        each["metadata"]["name"]: each["spec"]
        for each in of_kind(objects, "NetworkPolicy")
    }
    assert policies["default-deny"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    assert {"tasks", "mlflow", "tpu-slices", "allow-dns"} < set(policies)


def test_service_accounts_are_bound_to_google_ones(objects):
    for account in of_kind(objects, "ServiceAccount"):
        email = account["metadata"]["annotations"]["iam.gke.io/gcp-service-account"]
        assert email == f"{account['metadata']['name']}@PROJECT.iam.gserviceaccount.com"


def test_no_secret_is_written_down(objects):
    assert all(each["kind"] != "Secret" for each in objects)
    store = of_kind(objects, "ConfigMap")[0]["data"]["backend-store"]
    assert ":" not in store.split("@")[0].removeprefix("postgresql://")


def test_the_hardware_of_the_namespace_is_bounded(objects):
    (quota,) = of_kind(objects, "ResourceQuota")
    assert {"requests.cpu", "requests.memory", "requests.google.com/tpu"} < set(
        quota["spec"]["hard"]
    )
