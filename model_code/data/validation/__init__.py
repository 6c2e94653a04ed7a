"""Judges a dataset before anything is trained on it.

Own checks run everywhere. TensorFlow Data Validation runs where it is
installed, and the report says plainly where it did not.
"""

from model_code.data.validation.report import Finding, TfdvOutcome, ValidationReport
from model_code.data.validation.validate import validate

__all__ = ["Finding", "TfdvOutcome", "ValidationReport", "validate"]
