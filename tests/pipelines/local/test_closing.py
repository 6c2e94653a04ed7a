"""The last page of a run, compared whole."""

import io

from rich.console import Console

from model_code.evaluation.report import Estimate
from pipelines.local.closing import print_summary
from pipelines.local.record import RunRecord, TaskRecord
from pipelines.local.summary import (
    DatasetSummary,
    HeldOutSummary,
    RunSummary,
    VersionSummary,
)

TOP1 = Estimate(value=0.812, low=0.781, high=0.84, method="bootstrap")
CERTAIN = Estimate(value=0.85, low=0.8, high=0.9, method="bootstrap")

RECORD = RunRecord(
    run_id="elpv-1",
    pipeline="training",
    recipe="elpv",
    recipe_digest="0",
    arguments={},
    started="2026-01-01T00:00:00+00:00",
    tasks=(
        TaskRecord(name="ingest", title="ingest", state="skipped", seconds=4.2),
        TaskRecord(name="finetune", title="finetune", state="finished", seconds=192.0),
    ),
)

SUMMARY = RunSummary(
    run_id="elpv-1",
    recipe="elpv",
    recipe_digest="0",
    attempts=2,
    seconds=312.4,
    overhead=0.143,
    tasks=(),
    datasets=(
        DatasetSummary(
            title="target set",
            name="elpv",
            fingerprint="0123456789abcdef",
            examples=2624,
            dead_letters=3,
            reused=True,
        ),
    ),
    test=HeldOutSummary(
        examples=656,
        confidence=0.95,
        majority_share=0.687,
        metrics={"top1": TOP1},
        certain_examples=480,
        certain={"top1": CERTAIN},
    ),
    version=VersionSummary(
        model_name="elpv-defects",
        version=2,
        aliases=("challenger",),
        promoted=False,
        reason="top1 0.8120 does not beat the champion's.",
    ),
    report="/ws/report.html",
    log="/ws/run.log",
    next_commands=("mlflow ui", "effnetv2 predict IMAGE"),
)

PAGE = """
✓  ingest         4.2 s
✓  finetune  3 min 12 s

Run            elpv-1: 5 min 12 s, in 2 attempts, of which 14% outside ingest, training and evaluation
Test accuracy  81.2% (95% interval 78.1% to 84.0%), 656 images; always the commonest class: 68.7%
               85.0% (95% interval 80.0% to 90.0%) on the 480 images with a certain label
Datasets       elpv (target set) 0123456789ab: 2,624 images, reused
Dead letters   3 images of elpv
Model          elpv-defects/2 @challenger
               Not promoted: top1 0.8120 does not beat the champion's.
Report         /ws/report.html
Log            /ws/run.log
Next           mlflow ui
               effnetv2 predict IMAGE
"""  # noqa: E501 - lines for copying are never broken


def test_the_page_is_whole_on_a_narrow_terminal():
    out = io.StringIO()

    print_summary(Console(file=out, width=60), RECORD, SUMMARY)

    shown = [line.rstrip() for line in out.getvalue().splitlines()]
    assert shown == PAGE.rstrip("\n").splitlines()
