"""What counts as a study store, and what it is told where it does not."""

import subprocess
import sys
from pathlib import Path

import pytest
from optuna.trial import TrialState

from model_code.errors import ConfigError, UnavailableError
from model_code.search.store import open_store
from model_code.search.worker import work
from tests.helpers.postgres import postgres_server
from tests.model_code.search.recipes import by_formula, open_at


def test_a_journal_is_made_with_its_directory(tmp_path: Path) -> None:
    store = tmp_path / "studies" / "journal.log"

    open_at(store)

    assert open_at(store).trials == []


@pytest.mark.parametrize(
    ("store", "message"),
    [
        ("mysql://host/studies", "expected the path of a journal file"),
        ("sqlite:///studies.db", "expected the path of a journal file"),
        ("postgresql://me:secret@host/db", r"me:\*\*\*@host.*set PGPASSWORD"),
        ("postgresql://host:port/db", "is not a URL"),
    ],
)
def test_other_stores_are_refused(store: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        open_store(store)

    assert "secret" not in str(error.value)


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="start it"):
        open_store(f"postgresql://me@/studies?host={tmp_path}")


_WORKER = """
import sys
from model_code.search.worker import work
from tests.model_code.search.recipes import open_at, slowly
work(open_at(sys.argv[1], workers={"count": 3}), slowly)
"""


@pytest.mark.full
def test_workers_meet_in_a_new_database(tmp_path: Path) -> None:
    with postgres_server(tmp_path) as url:
        command = [sys.executable, "-c", _WORKER, url]
        workers = [subprocess.Popen(command) for _ in range(3)]
        assert [worker.wait(timeout=120) for worker in workers] == [0, 0, 0]
        search = open_at(url, workers={"count": 3})
        alone = open_at(tmp_path / "journal")
        work(alone, by_formula)

        assert [s.last.state for s in search.slots] == [TrialState.COMPLETE] * 6
        assert [s.parameters for s in search.slots] == [
            s.parameters for s in alone.slots
        ]
        search.storage.remove_session()
