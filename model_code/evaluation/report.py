"""The evaluation report: what one model scored on one split, with counts.

Metric names, in the gate and the tracking store too:
    top1, top5            share with a label among the first one or five classes
    balanced_accuracy     mean recall over the classes that occur
    macro_f1              mean F1 over the classes that occur or are predicted
    auroc                 area under the ROC curve, for two classes
    calibration_error     expected calibration error (Guo et al. 2017)
All but the first two and the last need one label an example.
"""

from typing import Literal

from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Estimate:
    """A metric and the ends of its confidence interval.

    `method` is how the interval was found: the bootstrap over examples, or
    Wilson's where every example of a proportion agrees.
    """

    value: float
    low: float
    high: float
    method: Literal["bootstrap", "wilson"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SliceReport:
    """The metrics of the test examples whose `feature` has that `value`."""

    feature: str
    value: str
    examples: int
    metrics: dict[str, Estimate]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ClassReport:
    """One class: examples that carry it, examples predicted to be it, both."""

    name: str
    examples: int
    predicted: int
    correct: int


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CalibrationBin:
    """Examples whose confidence lies in (low, high]; means are over those."""

    low: float
    high: float
    examples: int
    mean_confidence: float
    accuracy: float


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RocCurve:
    """False and true positive rate at each threshold, `positive` against the rest."""

    positive: str
    false_positive_rates: tuple[float, ...]
    true_positive_rates: tuple[float, ...]
    thresholds: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Mistake:
    """An example that the model got wrong; `probability` is of `predicted`."""

    id: str
    label: str
    predicted: str
    probability: float


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EvaluationReport:
    """One model on one split.

    `unlabelled` examples of a multi-label split were left out: no class fits
    them. `confusion[label][predicted]` counts examples; it is None for more than 100
    classes or several labels an example. `certain` is the subset that
    `EvaluationConfig.certain_feature` marks. `majority_share` is what always
    answering the commonest class would score. `mistakes` come most confident
    first.
    """

    dataset: str
    dataset_fingerprint: str
    split: str
    class_names: tuple[str, ...]
    image_size: int
    examples: int
    unlabelled: int
    majority_share: float
    confidence: float
    metrics: dict[str, Estimate]
    certain: SliceReport | None
    slices: tuple[SliceReport, ...]
    classes: tuple[ClassReport, ...]
    confusion: tuple[tuple[int, ...], ...] | None
    calibration: tuple[CalibrationBin, ...]
    roc: RocCurve | None
    mistakes: tuple[Mistake, ...]
