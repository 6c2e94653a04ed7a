"""Challenger against champion to a decision with a reason; pure.

Both reports must be of the same test split. No alias moves here.
"""

from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT
from model_code.config.recipe import GateConfig
from model_code.errors import ConfigError
from model_code.evaluation.report import EvaluationReport


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GateDecision:
    """Whether the challenger replaces the champion, and why.

    `champion_version` is the model version that was compared, None where there
    was none; a promotion holds only while that version is still the champion.
    """

    promote: bool
    reason: str
    primary_metric: str
    challenger_value: float
    champion_value: float | None
    champion_version: int | None
    minimum_improvement: float
    minimum_value: float

    @property
    def improvement(self) -> float | None:
        """Challenger minus champion, None without a champion."""
        if self.champion_value is None:
            return None
        return self.challenger_value - self.champion_value


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Incumbent:
    """The champion's version and its report on the challenger's test split."""

    version: int
    report: EvaluationReport


# 0.802 - 0.8 is not 0.002 in binary; an accuracy of 10^9 examples is coarser.
_TOLERANCE = 1e-12


def decide(
    challenger: EvaluationReport, champion: Incumbent | None, config: GateConfig
) -> GateDecision:
    """Compare by the primary metric; higher is better for every one of them.

    The challenger is promoted when it reaches the minimum value and there is no
    champion, or when it is also strictly better by the minimum improvement.

    Raises:
        ConfigError: a report lacks the primary metric.
        ValueError: the reports are of different test splits.
    """
    name = config.primary_metric
    value = _value(challenger, name)
    if champion is None:
        promote, reason = _decide_alone(value, config)
    else:
        _refuse_other_split(challenger, champion.report)
        promote, reason = _decide_between(value, champion, config)
    return GateDecision(
        promote=promote,
        reason=reason,
        primary_metric=name,
        challenger_value=value,
        champion_value=None if champion is None else _value(champion.report, name),
        champion_version=None if champion is None else champion.version,
        minimum_improvement=config.minimum_improvement,
        minimum_value=config.minimum_value,
    )


def _decide_alone(value: float, config: GateConfig) -> tuple[bool, str]:
    if value < config.minimum_value:
        return False, _below_minimum(value, config)
    return True, f"There is no champion yet; {config.primary_metric} is {value:.4f}."


def _decide_between(
    value: float, champion: Incumbent, config: GateConfig
) -> tuple[bool, str]:
    if value < config.minimum_value:
        return False, _below_minimum(value, config)
    held = _value(champion.report, config.primary_metric)
    gain = value - held
    promote = gain > _TOLERANCE and gain > config.minimum_improvement - _TOLERANCE
    verdict = "beats" if promote else "does not beat"
    return promote, (
        f"{config.primary_metric} {value:.4f} {verdict} the champion's {held:.4f} "
        f"(version {champion.version}) by the minimum improvement of "
        f"{config.minimum_improvement:g}: the difference is {gain:+.4f} on "
        f"{champion.report.examples} test examples."
    )


def _below_minimum(value: float, config: GateConfig) -> str:
    return (
        f"{config.primary_metric} {value:.4f} is below the recipe's minimum value "
        f"of {config.minimum_value:g}."
    )


def _value(report: EvaluationReport, metric: str) -> float:
    estimate = report.metrics.get(metric)
    if estimate is None:
        raise ConfigError(
            f"gate.primary_metric is {metric!r}, but the evaluation of "
            f"{report.dataset} has only {', '.join(sorted(report.metrics))}; auroc "
            "needs two classes, balanced_accuracy and macro_f1 one label an example: "
            "name one of those it has."
        )
    return estimate.value


def _refuse_other_split(one: EvaluationReport, other: EvaluationReport) -> None:
    if same_split(one, other):
        return
    raise ValueError(
        f"The challenger was evaluated on {one.split} of {one.dataset} "
        f"({one.dataset_fingerprint[:12]}) and the champion on {other.split} of "
        f"{other.dataset} ({other.dataset_fingerprint[:12]}); expected the same "
        "examples: evaluate the champion on the challenger's split first."
    )


def same_split(one: EvaluationReport, other: EvaluationReport) -> bool:
    """Whether two reports are of the same examples and the same classes."""
    return (one.dataset_fingerprint, one.split, one.class_names) == (
        other.dataset_fingerprint,
        other.split,
        other.class_names,
    )
