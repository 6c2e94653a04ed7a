"""Terraform: it parses, and every variable is declared, used and given."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

from model_code.planning.accelerators import TPUS, tpu_slice

TERRAFORM = Path(__file__).parents[2] / "infra" / "terraform"
ROOTS = sorted({path.parent for path in TERRAFORM.rglob("*.tf")})
ENVIRONMENTS = sorted((TERRAFORM / "envs").iterdir())


def parse(path: Path) -> dict[str, Any]:
    with path.open() as file:
        return plain(hcl2.load(file))


def plain(value: Any) -> Any:
    """Without the quotes and bookkeeping that python-hcl2 leaves in."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not k.startswith("__")}
        return {plain(key): plain(each) for key, each in kept.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.strip('"') if isinstance(value, str) else value


def blocks(root: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Labelled blocks of a kind in a directory, by their last label."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(root.glob("*.tf")):
        for block in parse(path).get(kind, []):
            for label, body in block.items():
                found[label] = body
    return found


def text(root: Path) -> str:
    lines = (path.read_text() for path in sorted(root.glob("*.tf")))
    return re.sub(r"#.*", "", "\n".join(lines))


def name(path: Path) -> str:
    return str(path.relative_to(TERRAFORM))


def test_there_is_something_to_check():
    assert len(ROOTS) == 9


@pytest.mark.parametrize("path", sorted(TERRAFORM.rglob("*.tf")), ids=name)
def test_every_file_parses(path):
    assert parse(path)


@pytest.mark.parametrize("root", ROOTS, ids=name)
def test_variables_are_declared_and_used(root):
    declared = set(blocks(root, "variable"))
    used = set(re.findall(r"\bvar\.([a-z_]+)", text(root)))
    assert used == declared


@pytest.mark.parametrize("root", ROOTS, ids=name)
def test_variables_and_outputs_are_typed_and_described(root):
    for variable, body in blocks(root, "variable").items():
        assert {"type", "description"} <= set(body), variable
    for output, body in blocks(root, "output").items():
        assert {"value", "description"} <= set(body), output


@pytest.mark.parametrize("root", ROOTS, ids=name)
def test_locals_and_resources_are_declared(root):
    code = text(root)
    declared = {key for block in locals_of(root) for key in block}
    assert set(re.findall(r"\blocal\.([a-z_]+)", code)) == declared
    resources = {
        (kind, label)
        for path in root.glob("*.tf")
        for block in parse(path).get("resource", [])
        for kind, bodies in block.items()
        for label in bodies
    }
    for used in re.findall(r"(?<![\w.\"/])(google_[a-z_]+)\.([a-z_]+)\b", code):
        assert used in resources


def locals_of(root: Path) -> list[dict[str, Any]]:
    return [
        block for path in root.glob("*.tf") for block in parse(path).get("locals", [])
    ]


@pytest.mark.parametrize("root", ENVIRONMENTS, ids=name)
def test_modules_get_what_they_require_and_nothing_else(root):
    calls = blocks(root, "module")
    assert {path.name for path in (TERRAFORM / "modules").iterdir()} == set(calls)
    for call, body in calls.items():
        module = (root / body["source"]).resolve()
        variables = blocks(module, "variable")
        required = {key for key, each in variables.items() if "default" not in each}
        given = set(body) - {"source"}
        assert required <= given <= set(variables), call


@pytest.mark.parametrize("root", ENVIRONMENTS, ids=name)
def test_outputs_that_are_read_exist(root):
    calls = blocks(root, "module")
    for module, output in re.findall(r"\bmodule\.(\w+)\.(\w+)", text(root)):
        source = (root / calls[module]["source"]).resolve()
        assert output in blocks(source, "output")


@pytest.mark.parametrize("root", ENVIRONMENTS, ids=name)
def test_the_example_gives_every_variable(root):
    assert set(parse(root / "example.tfvars")) == set(blocks(root, "variable"))


@pytest.mark.parametrize("root", ENVIRONMENTS, ids=name)
def test_tpu_pools_are_slices_that_exist(root):
    chips = {"ct5lp-hightpu-4t": ("v5e", 4), "ct5lp-hightpu-8t": ("v5e", 8)}
    for pool in parse(root / "example.tfvars")["tpu_pools"].values():
        generation, per_host = chips[pool["machine"]]
        found = tpu_slice(generation, pool["topology"], pool["hosts"] * per_host)
        assert (found.hosts, found.chips_per_host) == (pool["hosts"], per_host)
        assert generation in TPUS


def test_no_account_has_keys_and_none_is_owner():
    code = "\n".join(text(root) for root in ROOTS)
    assert "google_service_account_key" not in code
    assert not re.search(r"roles/(owner|editor)", code)
    assert "allUsers" not in code


def test_every_alert_has_its_paragraph():
    alerts = locals_of(TERRAFORM / "modules" / "monitoring")[0]["alerts"]
    operations = (TERRAFORM.parents[1] / "docs" / "operations.md").read_text()
    for alert in alerts:
        assert f"### {alert}" in operations


@pytest.mark.skipif(shutil.which("terraform") is None, reason="no terraform here")
def test_it_is_formatted(tmp_path):
    configuration = tmp_path / "terraformrc"
    configuration.touch()
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", str(TERRAFORM)],
        env={
            "TF_CLI_CONFIG_FILE": str(configuration),
            "PATH": "/usr/bin:/usr/local/bin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
