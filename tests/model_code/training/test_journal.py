"""Progress lines, history rows and the time that is left."""

import logging
from pathlib import Path

import pytest

from model_code.training import journal
from model_code.training.journal import Journal, duration
from model_code.training.plan import Plan
from tests.model_code.training.runs import tiny_config, tiny_dataset


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (7_530, "2 h 5 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def make(tmp_path: Path, *, speaks: bool = True) -> Journal:
    plan = Plan.of(tiny_config(), tiny_dataset(tmp_path / "data"))
    return Journal(plan, [], str(tmp_path / "tb") if speaks else None)


def test_a_line_says_where_training_is(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal, "LINE_SECONDS", 0.0)
    made = make(tmp_path)
    stage = Plan.of(tiny_config(), tiny_dataset(tmp_path / "data")).stages[0]
    with caplog.at_level(logging.INFO, "effnetv2.progress"):
        made.trained(stage, 0, [1.5, 1.25], seconds=60.0)  # compiles: not a speed
        made.trained(stage, 2, [1.0, 0.5], seconds=0.1)
    # 160 images/s at 16 px; 5 steps are left there, and 9 at 24 px.
    left = round((5 * 16**2 + 9 * 24**2) * 8 / 16**2 / 160)
    assert caplog.messages[-1] == (
        f"stage 1/2, 16 px, step 4/18, loss 0.5000, 160 images/s, {left} s left"
    )
    assert made.images_per_second == pytest.approx(160.0)
    made.close()


def test_lines_are_seconds_apart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = make(tmp_path)
    stage = Plan.of(tiny_config(), tiny_dataset(tmp_path / "data")).stages[0]
    with caplog.at_level(logging.INFO, "effnetv2.progress"):
        for step in range(9):
            made.trained(stage, step, [1.0], seconds=0.01)
    # The first, and the last of the stage, however soon.
    assert [line.split(", ")[2] for line in caplog.messages] == [
        "step 1/18",
        "step 9/18",
    ]
    made.close()


def test_workers_that_are_not_the_chief_say_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = make(tmp_path, speaks=False)
    stage = Plan.of(tiny_config(), tiny_dataset(tmp_path / "data")).stages[0]
    with caplog.at_level(logging.INFO, "effnetv2.progress"):
        made.trained(stage, 0, [1.0], seconds=0.1)
        made.evaluated(stage, 1, {"val/top1": 0.5})
    assert caplog.messages == []
    assert [row["step"] for row in made.history] == [1, 1]
    made.close()


def test_a_row_averages_the_losses_since_the_last(tmp_path: Path) -> None:
    train = tiny_config(epochs=100.0)  # 600 steps: a row every third
    manifest = tiny_dataset(tmp_path / "data")
    plan = Plan.of(train, manifest)
    made = Journal(plan, [{"step": 0}], None)
    for step, loss in enumerate([1.0, 2.0, 6.0, 4.0]):
        made.trained(plan.stages[0], step, [loss], seconds=0.1)
    assert made.history[0] == {"step": 0}
    (row,) = made.history[1:]
    assert (row["step"], row["train/loss"]) == (3, 3.0)
