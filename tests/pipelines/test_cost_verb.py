"""`effnetv2 cost` through the command line."""

import json

import pytest
from typer.testing import CliRunner

from model_code.errors import ConfigError
from pipelines.cli import app

ARGUMENTS = ["cost", "--recipe", "elpv-quick", "--images", "1771"]


def run(*more: str):
    arguments = [*ARGUMENTS, "--pretrain-images", "1152", *more]
    return CliRunner().invoke(app, arguments)


def test_it_adds_up():
    answer = run("--machine", "l4:1", "--usd-per-hour", "1", "--json")
    assert answer.exit_code == 0, answer.output
    tasks = json.loads(answer.stdout)
    assert set(tasks) == {"pretrain", "finetune"}
    for task in tasks.values():
        assert task["hours"] == pytest.approx(task["price"])
    assert "together" in run().stdout


def test_twice_the_machine_takes_half_the_time():
    one, two = (
        json.loads(run("--machine", machine, "--json").stdout)["finetune"]["hours"]
        for machine in ("l4:1", "l4:2")
    )
    assert one == pytest.approx(2 * two)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--cap-usd", "0.0001", "--usd-per-hour", "9"), "the cap is"),
        (("--machine", "v5e:3x3"), "no topology"),
        (("--machine", "abacus:1"), "is not known"),
    ],
)
def test_what_cannot_be_is_refused(more, message):
    assert isinstance(run(*more).exception, ConfigError)
    assert message in str(run(*more).exception)
