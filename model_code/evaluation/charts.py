"""Charts of the evaluation report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from model_code.evaluation.report import CalibrationBin, RocCurve
from model_code.evaluation.svg import BAND, FIRST, MUTED, SECOND, STYLE, figure, svg


@dataclass(frozen=True)
class Curve:
    """Values of one metric over the steps of a training run."""

    label: str
    steps: Sequence[float]
    values: Sequence[float]


def curves(
    lines: Sequence[Curve],
    sizes: Sequence[tuple[float, float, int]],
    title: str,
    percent: bool,
) -> Markup:
    """Curves over steps; bands are (first step, last step, image size in pixels)."""
    with mpl.rc_context(STYLE):
        drawn, axes = figure(2.6)
        for index, (start, end, size) in enumerate(sizes):
            if index % 2 == 0:
                axes.axvspan(start, end, color=BAND, linewidth=0)
            axes.annotate(
                f"{size} px",
                ((start + end) / 2, 1),
                (0, 3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                color=MUTED,
                fontsize=8,
            )
        for line, colour in zip(lines, (FIRST, SECOND), strict=False):
            axes.plot(line.steps, line.values, color=colour, label=line.label, lw=1.8)
        axes.margins(x=0)
        axes.set_xlabel("step")
        if percent:
            axes.yaxis.set_major_formatter("{x:.0%}")
        if len(lines) > 1:
            axes.legend(loc="best")
        return svg(drawn, title)


def calibration(bins: Sequence[CalibrationBin], title: str) -> Markup:
    """Reliability diagram; a dot's area is the share of examples in its bin."""
    with mpl.rc_context(STYLE):
        drawn, axes = figure(3.2)
        lowest = min((b.low for b in bins), default=0.0)
        axes.plot([lowest, 1], [lowest, 1], color=MUTED, lw=1, ls=(0, (3, 3)))
        total = sum(b.examples for b in bins)
        axes.vlines(
            [b.mean_confidence for b in bins],
            [b.mean_confidence for b in bins],
            [b.accuracy for b in bins],
            color=FIRST,
            lw=1,
        )
        axes.scatter(
            [b.mean_confidence for b in bins],
            [b.accuracy for b in bins],
            s=[20 + 400 * b.examples / total for b in bins],
            color=FIRST,
            alpha=0.75,
            linewidths=0,
        )
        axes.set_xlabel("confidence")
        axes.set_ylabel("accuracy")
        axes.set_ylim(-0.03, 1.03)
        axes.xaxis.set_major_formatter("{x:.0%}")
        axes.yaxis.set_major_formatter("{x:.0%}")
        return svg(drawn, title)


def roc(curve: RocCurve, title: str) -> Markup:
    """True against false positive rate."""
    with mpl.rc_context(STYLE):
        drawn, axes = figure(3.2)
        axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls=(0, (3, 3)))
        axes.fill_between(
            curve.false_positive_rates,
            curve.true_positive_rates,
            color=FIRST,
            alpha=0.15,
            linewidth=0,
        )
        axes.plot(
            curve.false_positive_rates, curve.true_positive_rates, color=FIRST, lw=1.8
        )
        axes.set_xlabel("false positive rate")
        axes.set_ylabel(f"true positive rate of {curve.positive}")
        axes.xaxis.set_major_formatter("{x:.0%}")
        axes.yaxis.set_major_formatter("{x:.0%}")
        return svg(drawn, title)


def confusion(rows: Sequence[Sequence[int]], title: str) -> Markup:
    """The confusion matrix of many classes, each row as shares of its label."""
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        counts = np.asarray(rows, dtype=float)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        drawn, axes = figure(5.0)
        # Cells without an image are left out: most are, and each costs 200 bytes.
        cells = [
            Rectangle((column - 0.5, row - 0.5), 1, 1)
            for row, column in zip(*np.nonzero(counts), strict=True)
        ]
        colours = [to_rgba(FIRST, share) for share in shares[np.nonzero(counts)]]
        axes.add_collection(PatchCollection(cells, facecolors=colours, linewidths=0))
        axes.set_xlim(-0.5, len(counts) - 0.5)
        axes.set_ylim(len(counts) - 0.5, -0.5)
        axes.set_aspect("equal")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("predicted class")
        axes.set_ylabel("label")
        return svg(drawn, title)


def size_bands(history: Sequence[Mapping[str, Any]]) -> list[tuple[float, float, int]]:
    """(first step, last step, image size) of each progressive stage of a history."""
    bands: list[tuple[float, float, int]] = []
    start = 0.0
    for size, rows in groupby(history, key=lambda row: int(row["image_size"])):
        end = float(max(row["step"] for row in rows))
        bands.append((start, end, size))
        start = end
    return bands
