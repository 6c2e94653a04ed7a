"""What the validate task found out; the content of `validation.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from model_code.errors import DataError


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know.

    Attributes:
        severity: `error` stops the run, `warning` does not.
        check: which check found it.
        message: what was received, what was expected.
    """

    severity: Literal["error", "warning"]
    check: str
    message: str


@dataclass(frozen=True)
class Distance:
    """How far a split or a span is from another, for one feature.

    Attributes:
        feature: `label`, or the name of a slice feature.
        between: the two that were compared.
        value: largest difference of a value's share (L-infinity).
        where: the value with that difference.
        maximum: what the recipe allows.
    """

    feature: str
    between: tuple[str, str]
    value: float
    where: str
    maximum: float


@dataclass(frozen=True)
class TfdvOutcome:
    """Whether TensorFlow Data Validation ran, and what it said.

    Attributes:
        ran: it did.
        reason: why it did not; empty if it did.
        version: of the library, if it ran.
        schema: where the schema is kept that the data was held against.
        anomalies: what is wrong, by feature.
    """

    ran: bool
    reason: str = ""
    version: str = ""
    schema: str = ""
    anomalies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ValidationReport:
    """The verdict on a dataset, and the numbers it rests on.

    Attributes:
        dataset: name of the dataset.
        fingerprint: of the dataset.
        passed: nothing was found that stops a run.
        findings: what was found, worst first.
        examples: by split.
        class_shares: by split, in the order of the class names.
        distances: between splits, and to the previous span if there is one.
        tfdv: what TensorFlow Data Validation did.
    """

    dataset: str
    fingerprint: str
    passed: bool
    findings: tuple[Finding, ...]
    examples: Mapping[str, int]
    class_shares: Mapping[str, tuple[float, ...]]
    distances: tuple[Distance, ...]
    tfdv: TfdvOutcome

    def require_passed(self) -> None:
        """Stop the run unless the dataset passed.

        Raises:
            DataError: naming every finding that stops it.
        """
        if self.passed:
            return
        errors = [found for found in self.findings if found.severity == "error"]
        problems = "; ".join(f"{found.check}: {found.message}" for found in errors)
        raise DataError(
            f"Dataset {self.dataset} did not pass validation ({problems}). Repair "
            "the data, or change the limits in `validation` if this is expected."
        )
