"""Building blocks of the schema: strict frozen dataclasses and named ranges.

Scalars are strict (the text "8" is not the number 8), unknown keys are
refused, and a range is part of the type, so that a recipe fails when it is
loaded and not an hour into training.
"""

from typing import Annotated

from pydantic import ConfigDict, Field

STRICT = ConfigDict(extra="forbid", validate_default=True)

Count = Annotated[int, Field(strict=True, ge=1)]
"""A whole number of things, at least one."""

Index = Annotated[int, Field(strict=True, ge=0)]
"""A whole number from zero up; also seeds."""

Pixels = Annotated[int, Field(strict=True, ge=8, le=4096)]
"""Side of a square image."""

Fraction = Annotated[float, Field(strict=True, ge=0.0, le=1.0)]
"""A share of a whole, both ends included."""

Rate = Annotated[float, Field(strict=True, ge=0.0, lt=1.0)]
"""A probability of dropping something; dropping everything is not training."""

Positive = Annotated[float, Field(strict=True, gt=0.0)]
NonNegative = Annotated[float, Field(strict=True, ge=0.0)]
Flag = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
"""A lower-case name that is safe in paths, URLs, image tags and MLflow."""
