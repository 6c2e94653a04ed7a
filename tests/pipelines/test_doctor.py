import http.server
import json
import threading
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from pipelines import doctor
from pipelines.cli import app
from pipelines.connection import Connection
from pipelines.doctor import Check, Probe, can_run, examine, probe_library
from pipelines.settings import Environment

LOCAL = Environment(name="local")


def probe(modules: str = "json", proof: str = "json.dumps({})", name: str = "kfp"):
    return Probe("Library", name, modules, proof, needed=True)


@pytest.fixture
def server() -> Iterator[str]:
    """An address that answers every GET with 200 and the path that was asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 401)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http_server.server_port}"
        http_server.shutdown()
        thread.join()


@pytest.fixture
def no_probes(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "_PROBES", ())


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_a_library_that_proves_itself_is_ok():
    check = probe_library(probe())

    assert check.verdict == "ok"
    assert check.found.endswith("({})")


@pytest.mark.parametrize(
    ("modules", "proof", "complaint"),
    [
        ("no_such_module_of_ours", "1", "No module named 'no_such_module_of_ours'"),
        # TFX turns what fails to import into None: an attribute tells.
        ("json", "json.no_such_thing", "AttributeError"),
        ("os", "os.abort()", "exit code -6"),
    ],
)
def test_a_library_that_fails_is_broken_and_says_how(modules, proof, complaint):
    check = probe_library(probe(modules, proof))

    assert check.verdict == "broken"
    assert complaint in check.found


def test_a_library_that_hangs_is_broken(monkeypatch):
    monkeypatch.setattr(doctor, "_IMPORT_SECONDS", 0.5)

    check = probe_library(probe("time", "time.sleep(60)"))

    assert check.verdict == "broken"
    assert "no answer" in check.found


def test_a_library_that_is_not_installed_is_absent():
    check = probe_library(probe(name="no-such-distribution-of-ours"))

    assert check == Check("Library", "absent", "not installed", needed=True)


def test_only_what_is_needed_decides():
    broken = Check("a", "broken", "")

    assert can_run((broken, Check("b", "ok", "", needed=True)))
    assert not can_run((Check("b", "absent", "", needed=True),))


def test_servers_are_asked(server, no_probes, tmp_path):
    dev = Environment(name="dev", connection=Connection(host=server))

    checks = by_name(examine(dev, tmp_path / "not-yet" / "ws", server))

    # A backend that wants to know who we are is there.
    assert checks["KFP backend"].found.endswith("answers 401")
    assert checks["MLflow store"].found.endswith("answers 200")
    assert can_run(tuple(checks.values()))


def test_a_server_that_is_not_there_is_broken(no_probes, tmp_path):
    checks = by_name(examine(LOCAL, tmp_path, "http://127.0.0.1:9"))

    assert checks["MLflow store"].verdict == "broken"
    assert "does not answer" in checks["MLflow store"].found


def test_json_for_a_program(no_probes, tmp_path):
    ran = CliRunner().invoke(app, ["doctor", "--json", f"--workspace={tmp_path}"])

    answer = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert answer["can_run"]
    assert {check["name"] for check in answer["checks"]} >= {
        "Python",
        "C library",
        "Container engine",
        "MLflow store",
        "KFP backend",
    }


def test_what_run_lacks_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_PROBES", (probe(name="no-such-distribution"),))

    ran = CliRunner().invoke(app, ["doctor", f"--workspace={tmp_path}"])

    assert "will not work here: Library is missing" in str(ran.exception)
    assert "not installed" in ran.stdout
