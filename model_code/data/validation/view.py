"""The page a person opens to see a dataset: self-contained, no network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from model_code.data.manifest import DatasetManifest
from model_code.data.validation.report import ValidationReport

_MOST_CLASSES = 60
"""Bars a page shows; of more classes the most and the least frequent."""


@dataclass(frozen=True)
class Bar:
    """A value and its share of each split, 0 to 1."""

    name: str
    shares: Mapping[str, float]


def render(report: ValidationReport, dataset: DatasetManifest) -> str:
    """The whole page as HTML."""
    environment = Environment(
        loader=PackageLoader("model_code.data.validation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    bars = list(_class_bars(report, dataset))
    slices = {name: _slice_bars(dataset, name) for name in _sliced(dataset)}
    largest = max((s for bar in bars for s in bar.shares.values()), default=1.0)
    return environment.get_template("statistics.html.j2").render(
        report=report,
        dataset=dataset,
        bars=bars,
        hidden=len(dataset.class_names) - len(bars),
        largest=largest or 1.0,
        slices=slices,
    )


def _class_bars(report: ValidationReport, dataset: DatasetManifest) -> Iterator[Bar]:
    totals = [
        sum(split.class_counts[index] for split in dataset.splits.values())
        for index in range(len(dataset.class_names))
    ]
    order = sorted(range(len(totals)), key=lambda index: (-totals[index], index))
    if len(order) > _MOST_CLASSES:
        half = _MOST_CLASSES // 2
        order = order[:half] + order[-half:]
    for index in order:
        shares = {name: found[index] for name, found in report.class_shares.items()}
        yield Bar(dataset.class_names[index], shares)


def _sliced(dataset: DatasetManifest) -> list[str]:
    return sorted({n for split in dataset.splits.values() for n in split.slice_counts})


def _slice_bars(dataset: DatasetManifest, feature: str) -> list[Bar]:
    counts = {
        name: split.slice_counts.get(feature, {})
        for name, split in dataset.splits.items()
    }
    values = sorted({value for found in counts.values() for value in found})
    return [
        Bar(
            value,
            {
                name: found.get(value, 0) / max(1, sum(found.values()))
                for name, found in counts.items()
            },
        )
        for value in values
    ]
