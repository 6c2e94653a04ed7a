"""Traps of kfp 2.17.0's local runner, each with why it does not catch us.

A test here that fails after an upgrade is good news: the trap is gone, and what
was built around it may go too.
"""

from importlib import metadata
from pathlib import Path

import pytest
from kfp import dsl, local

from tests.helpers import trap_graphs as graphs

pytestmark = [
    pytest.mark.filterwarnings("ignore:You may be attemping:RuntimeWarning"),
    pytest.mark.usefixtures("runner"),
]


@pytest.fixture
def runner(tmp_path: Path) -> None:
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(tmp_path / "artifacts"),
        enable_caching=True,
        cache_root=str(tmp_path / "cache"),
    )


def test_kfp_is_the_version_that_was_measured():
    # 2.16 runs every branch of a condition.
    assert metadata.version("kfp") == "2.17.0"


def test_a_condition_on_a_named_output_is_skipped(tmp_path):
    # Our graphs have no conditions (ADR 11).
    graphs.if_on_named_output(path=str(tmp_path / "trace"))

    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(("text", "runs"), [("plain", True), ("it's", False)])
def test_a_condition_on_a_text_with_a_quote_is_skipped(text, runs, tmp_path):
    graphs.if_on_quote(path=str(tmp_path / "trace"), text=text)

    assert (tmp_path / "trace").exists() == runs


def test_numbers_in_a_list_arrive_as_floats(tmp_path):
    # Our parameters are texts; a recipe is one JSON text.
    graphs.list_of_numbers(path=str(tmp_path / "types"))

    assert (tmp_path / "types").read_text() == "float float"


def test_whole_numbers_in_metadata_become_floats(tmp_path):
    # The desk turns counts back into whole numbers.
    graphs.metrics_only(count=str(tmp_path / "count"), path=str(tmp_path / "value"))

    assert (tmp_path / "value").read_text() == "1.0"


def test_metrics_without_a_file_are_never_found_in_the_cache(tmp_path):
    # The recorder gives metadata-only artifacts a file.
    for _ in range(2):
        graphs.metrics_only(count=str(tmp_path / "count"), path=str(tmp_path / "value"))

    assert (tmp_path / "count").read_text() == "xx"


def test_a_task_does_not_know_its_module(tmp_path):
    # The rules of doors are read from their source.
    assert graphs.use_constant.python_func() is None

    with pytest.raises(RuntimeError, match="FAILURE"):
        graphs.module_constant()


def test_a_parameter_without_a_value_fails():
    # Every parameter of ours has a default that is a value.
    with pytest.raises(ValueError, match="Unknown value type"):
        graphs.optional_parameter()


def test_an_artifact_cannot_be_given_to_a_single_component():
    # Doors with inputs are tested inside of a pipeline.
    with pytest.raises(ValueError, match="Input artifacts are not supported"):
        graphs.write_metadata(path="", metrics=dsl.Metrics())


def test_the_workspace_root_is_deleted_after_a_run(tmp_path):
    # We never pass one.
    precious = tmp_path / "precious"
    precious.mkdir()
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(tmp_path / "artifacts"),
        workspace_root=str(precious),
    )

    graphs.list_of_numbers(path=str(tmp_path / "types"))

    assert not precious.exists()


def test_annotations_as_texts_are_refused(tmp_path, monkeypatch):
    # A door never says `from __future__ import annotations`.
    (tmp_path / "late.py").write_text(
        "from __future__ import annotations\n"
        "from kfp import dsl\n"
        "@dsl.component(base_image='none')\n"
        "def late(made: dsl.Output[dsl.Dataset]) -> None:\n"
        "    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(TypeError, match="Output"):
        __import__("late")


def test_a_parameter_has_a_limit(tmp_path):
    # The whole executor input is one argument of the task's process; a recipe
    # stays below 10 kB, the API server's own limit.
    with pytest.raises(OSError, match="Argument list too long"):
        graphs.if_on_quote(path=str(tmp_path / "trace"), text="x" * 200_000)
