"""Which split an image belongs to: a pure function of its bytes.

Each image draws two numbers from a salted hash of its content: one decides
test, the other validation among the rest. So adding images never moves an old
one, equal images land together, and a change of the test share moves nothing
between train and validation.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from model_code.config.dataset import SplitConfig

TRAIN: Final = "train"
VALIDATION: Final = "validation"
TEST: Final = "test"
SPLITS: Final = (TRAIN, VALIDATION, TEST)

_RANGE: Final = 2**64


@dataclass(frozen=True, slots=True)
class SplitRule:
    """Thresholds on the two draws, each a 64-bit number.

    Attributes:
        salt: changes every draw.
        test_below: the first draw of a test image is below this.
        validation_below: the second draw of a validation image is below this.
    """

    salt: str
    test_below: int
    validation_below: int

    def split_of(self, digest: bytes) -> str:
        """Split of the image with this SHA-256 digest (32 bytes)."""
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


def draws(digest: bytes, salt: str) -> tuple[int, int]:
    """Two independent uniform 64-bit numbers from an image digest."""
    mixed = hashlib.sha256(salt.encode() + b"\0" + digest).digest()
    return int.from_bytes(mixed[:8], "big"), int.from_bytes(mixed[8:16], "big")


def demanded_splits(config: SplitConfig) -> tuple[str, ...]:
    """Splits that the configuration gives a share to, in fixed order."""
    shares = {
        TRAIN: (1 - config.test) * (1 - config.validation),
        VALIDATION: (1 - config.test) * config.validation,
        TEST: config.test,
    }
    return tuple(split for split in SPLITS if shares[split] > 0)
