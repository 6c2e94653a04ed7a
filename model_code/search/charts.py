"""Charts of the search report."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes

from model_code.evaluation.svg import FIRST, MUTED, SECOND, STYLE, figure, svg
from model_code.search.objective import Measured
from model_code.search.summary import Result, StudySummary


def trade_off(
    summary: StudySummary, cost: Callable[[Measured], float], label: str, title: str
) -> Markup:
    """Accuracy against a cost; the front is joined, the winner ringed."""
    results = summary.results
    front = sorted(
        (results[index] for index in summary.front),
        key=lambda result: cost(result.measured),
    )
    with mpl.rc_context(STYLE):
        drawn, axes = figure(3.2)
        axes.axvline(1.0, color=MUTED, lw=1, ls=(0, (3, 3)))
        _dots(axes, list(results.values()), cost, color=MUTED, alpha=0.45)
        axes.plot(*_points(front, cost), color=FIRST, lw=1, drawstyle="steps-post")
        _dots(axes, front, cost, color=FIRST, label="Pareto front")
        _dots(
            axes,
            [summary.best],
            cost,
            s=110,
            facecolors="none",
            edgecolors=SECOND,
            linewidths=2,
            label="winner",
        )
        axes.set_xlabel(label)
        axes.set_ylabel("accuracy")
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.legend(loc="best")
        return svg(drawn, title)


def progress(summary: StudySummary) -> Markup:
    """Reward of each trial in order, and the best so far."""
    results = sorted(summary.results.items())
    numbers = [index + 1 for index, _ in results]
    rewards = [result.reward for _, result in results]
    with mpl.rc_context(STYLE):
        drawn, axes = figure(2.6)
        axes.axhline(summary.median_reward, color=MUTED, lw=1, ls=(0, (3, 3)))
        axes.scatter(numbers, rewards, s=22, color=MUTED, alpha=0.6, linewidths=0)
        best = list(accumulate(rewards, max))
        axes.step(numbers, best, where="post", color=FIRST, lw=1.8)
        axes.set_xlabel("trial")
        axes.set_ylabel("reward")
        return svg(drawn, "Reward of each trial, the best so far and the median")


def _points(
    results: Sequence[Result], cost: Callable[[Measured], float]
) -> tuple[list[float], list[float]]:
    costs = [cost(result.measured) for result in results]
    return costs, [result.measured.accuracy for result in results]


def _dots(
    axes: Axes,
    results: Sequence[Result],
    cost: Callable[[Measured], float],
    **style: Any,
) -> None:
    axes.scatter(*_points(results, cost), **{"s": 26, "linewidths": 0, **style})
