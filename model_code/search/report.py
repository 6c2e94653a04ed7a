"""The page of a finished search: one file, no network, light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from model_code.config.model import BlockTable
from model_code.evaluation.page import percent
from model_code.model.rows import ROWS
from model_code.search import charts
from model_code.search.space import FIELDS
from model_code.search.summary import StudySummary, TrialSummary

_REFERENCE = "efficientnetv2-s"
_TABLE_ROWS = 10
_OPERATIONS = {"mbconv": "MBConv", "fused_mbconv": "Fused-MBConv"}


@dataclass(frozen=True)
class Share:
    """One bar: a name, its share, and its length relative to the longest."""

    name: str
    share: float
    length: float


def render(summary: StudySummary) -> str:
    """The page as one HTML text."""
    environment = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("model_code.search"),
                # The style sheet is the evaluation report's.
                PackageLoader("model_code.evaluation"),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    reference = BlockTable(name=_REFERENCE, blocks=ROWS[_REFERENCE].stages)
    return environment.get_template("search.html.j2").render(
        summary=summary,
        best=summary.best,
        by_time=charts.trade_off(
            summary,
            lambda measured: measured.step_time,
            "step time, multiple of the backbone's",
            "Accuracy against step time",
        ),
        by_size=charts.trade_off(
            summary,
            lambda measured: measured.parameters,
            "parameters, multiple of the backbone's",
            "Accuracy against parameters",
        ),
        progress=charts.progress(summary),
        choices=_bars(summary.importance),
        kinds=_bars(_by_kind(summary.importance)),
        stages=list(zip_longest(summary.network.blocks, reference.blocks)),
        reference=_REFERENCE,
        operations=_OPERATIONS,
        leaders=_leaders(summary),
        failures=[trial for trial in summary.trials if trial.state == "failed"],
    )


def write(summary: StudySummary, path: Path) -> None:
    """Write the page whole or not at all."""
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text(render(summary), encoding="utf-8")
    temporary.replace(path)


def _by_kind(importance: dict[str, float]) -> dict[str, float]:
    """Importance summed over stages, largest first."""
    sums = {
        field.replace("_", " "): sum(
            share for name, share in importance.items() if name.endswith(field)
        )
        for field in FIELDS
    }
    return dict(sorted(sums.items(), key=lambda item: -item[1])) if importance else {}


def _bars(shares: dict[str, float]) -> Sequence[Share]:
    kept = list(shares.items())[:_TABLE_ROWS]
    longest = max((share for _, share in kept), default=0.0) or 1.0
    return [
        Share(name.replace("_", " ").replace(".", ", "), share, share / longest)
        for name, share in kept
    ]


def _leaders(summary: StudySummary) -> Sequence[TrialSummary]:
    """Completed trials, best reward first."""
    results = summary.results
    order = sorted(results, key=lambda index: -results[index].reward)
    return [summary.trials[index] for index in order[:_TABLE_ROWS]]
