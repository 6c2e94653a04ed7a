"""Submission against a stateful server, on good and on bad days."""

import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_code.errors import ConfigError, ProductError, UnavailableError
from pipelines.client import KfpClient
from pipelines.connection import (
    Connection,
    CookieCredentials,
    Patience,
    TokenCredentials,
    TokenFileCredentials,
)
from pipelines.failures import AccessError
from pipelines.submit import Submission, package_digest, submit
from tests.helpers.kfp_server import KfpServer, kfp_server

QUICK = Patience(
    connect=2.0, read=0.5, attempts=6, first_retry=0.001, slowest_retry=0.01
)
PARAMETERS = {"recipe": "{}", "image": "r/i@sha256:0"}


@pytest.fixture(scope="module")
def running():
    with kfp_server() as server:
        yield server


@pytest.fixture
def server(running: KfpServer) -> KfpServer:
    running.__dict__.update(
        KfpServer(url=running.url).__dict__
        | {
            # The app holds on to the state object, so it is emptied, not replaced.
            "state": running.state,
        }
    )
    for table in ("pipelines", "versions", "experiments", "runs", "recurring"):
        getattr(running.state, table).clear()
    running.state.scripts.clear()
    running.state.killed.clear()
    running.state.default_script = ("RUNNING", "SUCCEEDED")
    return running


def package(directory: Path, note: str = "") -> Path:
    spec = {
        "root": {
            "inputDefinitions": {
                "parameters": {name: {"parameterType": "STRING"} for name in PARAMETERS}
            }
        },
        "pipelineInfo": {"name": "training", "description": note},
    }
    path = directory / "training.yaml"
    path.write_text(f"# PIPELINE DEFINITION\n{yaml.safe_dump(spec)}")
    return path


def submission(directory: Path, **changes) -> Submission:
    fields = {
        "pipeline": "training",
        "package": package(directory),
        "parameters": PARAMETERS,
        "experiment": "elpv",
        "label": "elpv-quick",
    }
    return Submission(**(fields | changes))


def client(server: KfpServer, **settings) -> KfpClient:
    environ = settings.pop("environ", {})
    fields = {"host": server.url, "patience": QUICK} | settings
    return KfpClient(Connection(**fields), environ)


def test_a_first_submission_uploads_and_starts(server, tmp_path):
    done = submit(client(server), submission(tmp_path))

    assert (done.uploaded, done.started) == (True, True)
    assert done.run.name.startswith("training-elpv-quick-")
    assert done.run_link == f"{server.url}/#/runs/details/{done.run.run_id}"
    stored = server.state.runs[done.run.run_id]
    assert stored["runtime_config"]["parameters"] == PARAMETERS
    assert stored["pipeline_version_reference"]["pipeline_version_id"] == (
        done.version.version_id
    )


def test_a_repeat_changes_nothing(server, tmp_path):
    first = submit(client(server), submission(tmp_path))
    again = submit(client(server), submission(tmp_path))

    assert (again.uploaded, again.started) == (False, False)
    assert again.run.run_id == first.run.run_id
    assert len(server.state.runs) == len(server.state.versions) == 1


def test_new_content_is_a_new_version_of_the_same_pipeline(server, tmp_path):
    submit(client(server), submission(tmp_path))
    changed = submission(tmp_path)
    package(tmp_path, note="changed")
    done = submit(client(server), changed)

    assert done.uploaded
    assert len(server.state.pipelines) == 1
    assert len(server.state.versions) == len(server.state.runs) == 2


def test_comments_and_key_order_are_not_content(tmp_path):
    path = package(tmp_path)
    before = package_digest(path)
    spec = yaml.safe_load(path.read_text())
    path.write_text(
        "# another header\n"
        + yaml.safe_dump(dict(reversed(spec.items())), sort_keys=False)
    )
    assert package_digest(path) == before


def test_a_request_id_starts_another_run(server, tmp_path):
    submit(client(server), submission(tmp_path))
    done = submit(client(server), submission(tmp_path, request_id="again-1"))

    assert (done.uploaded, done.started) == (False, True)
    assert len(server.state.runs) == 2


def test_a_failed_run_does_not_stand_for_a_new_submission(server, tmp_path):
    first = submit(client(server), submission(tmp_path))
    server.state.move_run(first.run.run_id, "FAILED")

    assert submit(client(server), submission(tmp_path)).started


POSTS = ("/pipelines$", "/upload_version", "/experiments$", "/runs$")
ANSWERS = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 500, "acted": True},
    {"kind": "status", "status": 409},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}},
    {"kind": "status", "status": 503},
    {"kind": "cut"},
    {"kind": "cut", "acted": True},
    {"kind": "slow", "seconds": 0.7, "acted": True},
)


@pytest.mark.parametrize(("path", "fault"), list(itertools.product(POSTS, ANSWERS)))
def test_no_fault_duplicates_or_loses(server, tmp_path, path, fault):
    server.fail("POST", path, **fault)

    done = submit(client(server), submission(tmp_path))

    state = server.state
    assert [len(t) for t in (state.pipelines, state.versions, state.experiments)] == [
        1,
        1,
        1,
    ]
    assert list(state.runs) == [done.run.run_id]
    assert server.faults[0].times == 0


FAULTS = st.tuples(
    st.sampled_from([("POST", path) for path in POSTS] + [("GET", "/")]),
    st.sampled_from([fault for fault in ANSWERS if fault["kind"] != "slow"]),
    st.integers(1, 3),
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(faults=st.lists(FAULTS, max_size=4))
def test_whatever_goes_wrong_repeating_ends_with_one_run(server, tmp_path, faults):
    for table in ("pipelines", "versions", "experiments", "runs"):
        getattr(server.state, table).clear()
    server.faults[:] = []
    for (method, path), fault, times in faults:
        server.fail(method, path, times=times, **fault)

    for _ in range(20):
        try:
            submit(client(server), submission(tmp_path))
            break
        except ProductError:
            continue
    server.faults[:] = []
    done = submit(client(server), submission(tmp_path))

    assert list(server.state.runs) == [done.run.run_id]
    assert len(server.state.versions) == len(server.state.pipelines) == 1


def test_a_request_that_the_server_carries_out_late_leaves_one_run(server, tmp_path):
    # The first POST is answered after the client gave up and posted again.
    server.fail("POST", "/runs$", "slow", seconds=0.8)
    done = submit(client(server), submission(tmp_path))
    later = submit(client(server), submission(tmp_path))

    live = [
        run
        for run in server.state.runs.values()
        if run["state"] not in {"CANCELING", "CANCELED"}
    ]
    assert len(live) == 1
    assert later.run.run_id == live[0]["run_id"]
    assert not later.started
    assert done.started


@pytest.mark.parametrize(
    ("status", "error"), [(400, ConfigError), (401, AccessError), (403, AccessError)]
)
def test_a_refusal_is_not_repeated(server, tmp_path, status, error):
    server.fail("POST", "/runs$", "status", status=status, times=99)
    with pytest.raises(error, match=f"answered {status} .*injected"):
        submit(client(server), submission(tmp_path))
    assert server.count("POST", "/runs$") == 1


def test_a_server_that_stays_broken_is_given_up_after_bounded_attempts(
    server, tmp_path
):
    server.fail("GET", "/pipelines$", "status", status=500, times=99)
    with pytest.raises(UnavailableError, match="answered 500"):
        submit(client(server), submission(tmp_path))
    assert server.count("GET", "/pipelines$") == QUICK.attempts


def test_nobody_there(tmp_path):
    connection = Connection(host="http://localhost:9", patience=QUICK)
    with pytest.raises(UnavailableError, match="expected an answer"):
        submit(KfpClient(connection, {}), submission(tmp_path))


def test_unknown_and_missing_parameters_are_refused_by_the_server(server, tmp_path):
    with pytest.raises(ConfigError, match="parameter nonsense is not part"):
        submit(
            client(server),
            submission(tmp_path, parameters=PARAMETERS | {"nonsense": "1"}),
        )
    with pytest.raises(ConfigError, match="parameter image is not optional"):
        submit(client(server), submission(tmp_path, parameters={"recipe": "{}"}))


def test_parameters_beyond_the_limit_never_leave(server, tmp_path):
    with pytest.raises(ConfigError, match="accepts 10000"):
        submit(
            client(server),
            submission(tmp_path, parameters=PARAMETERS | {"recipe": "x" * 10_001}),
        )
    assert server.requests == []


def test_a_token_is_sent_and_a_wrong_one_explained(server, tmp_path):
    server.token = "good"
    credentials = TokenCredentials(kind="token", variable="KFP_TOKEN")
    right = client(server, credentials=credentials, environ={"KFP_TOKEN": "good"})
    assert submit(right, submission(tmp_path)).started

    wrong = client(server, credentials=credentials, environ={"KFP_TOKEN": "old"})
    with pytest.raises(AccessError, match=r"401 Unauthorized.*renew the token"):
        submit(wrong, submission(tmp_path))


def test_a_missing_credential_is_named(server):
    credentials = TokenCredentials(kind="token", variable="KFP_TOKEN")
    with pytest.raises(ConfigError, match="KFP_TOKEN is not set"):
        client(server, credentials=credentials)


def test_a_rotated_token_file_is_read_again(server, tmp_path):
    path = tmp_path / "token"
    path.write_text("one\n")
    credentials = TokenFileCredentials(kind="token_file", path=str(path))
    connected = client(server, credentials=credentials)
    for token in ("one", "two"):
        path.write_text(f"{token}\n")
        server.token = token
        connected.ensure_experiment("elpv")


def test_cookies_and_namespace(server, tmp_path):
    server.cookie = "session=abc"
    server.forbidden_namespaces = {"others"}
    settings = {
        "credentials": CookieCredentials(kind="cookies"),
        "environ": {"KFP_COOKIES": "session=abc"},
    }
    done = submit(client(server, namespace="team", **settings), submission(tmp_path))
    assert done.started
    experiment = next(iter(server.state.experiments.values()))
    assert experiment["namespace"] == "team"
    with pytest.raises(AccessError, match="not authorized in others"):
        submit(client(server, namespace="others", **settings), submission(tmp_path))
