"""Which split an image belongs to: a pure function of its bytes.

Each image draws two numbers from a salted hash of its content: one decides
test, the other validation among the rest. So adding images never moves an old
one, equal images land together, and a change of the test share moves nothing
between train and validation.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from model_code.config.dataset import SplitConfig

TRAIN: Final = "train"
VALIDATION: Final = "validation"
TEST: Final = "test"
SPLITS: Final = (TRAIN, VALIDATION, TEST)

# Signed 64-bit integers are what runners and JSON readers agree on.
_RANGE: Final = 2**63


@dataclass(frozen=True, slots=True)
class SplitRule:
    """Thresholds on the two draws, each a 63-bit number.

    Attributes:
        salt: changes every draw.
        test_below: the first draw of a test image is below this.
        validation_below: the second draw of a validation image is below this.
    """

    salt: str
    test_below: int
    validation_below: int

    def split_of(self, digest: bytes, *, held_out: bool = False) -> str:
        """Split of the image with this SHA-256 digest (32 bytes).

        `held_out` images are test images by their source's own word.
        """
        if held_out:
            return TEST
        test_draw, validation_draw = draws(digest, self.salt)
        if test_draw < self.test_below:
            return TEST
        return VALIDATION if validation_draw < self.validation_below else TRAIN


def rule_from_shares(config: SplitConfig) -> SplitRule:
    """The rule that gives each split its share, up to chance."""
    return SplitRule(
        salt=config.salt,
        test_below=round(config.test * _RANGE),
        validation_below=round(config.validation * _RANGE),
    )


def threshold_for(validation_draws: Sequence[int]) -> int:
    """The threshold below which exactly these draws fall, and no larger one."""
    return max(validation_draws, default=-1) + 1


def draws(digest: bytes, salt: str) -> tuple[int, int]:
    """Two independent uniform 63-bit numbers from an image digest."""
    mixed = hashlib.sha256(salt.encode() + b"\0" + digest).digest()
    first, second = int.from_bytes(mixed[:8], "big"), int.from_bytes(mixed[8:16], "big")
    return first >> 1, second >> 1


def demanded_splits(config: SplitConfig, *, has_test: bool = False) -> tuple[str, ...]:
    """Splits that the configuration gives a share to, in fixed order.

    `has_test`: the source brings test images of its own.
    """
    counted = config.validation_examples is not None
    wanted = {
        TRAIN: config.test < 1 and (counted or config.validation < 1),
        VALIDATION: config.test < 1 and (counted or config.validation > 0),
        TEST: config.test > 0 or has_test,
    }
    return tuple(split for split in SPLITS if wanted[split])
