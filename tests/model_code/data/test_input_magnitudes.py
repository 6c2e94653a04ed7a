"""What a magnitude means, against the published table (facts, check 43)."""

import pytest

from model_code.data.augment import magnitudes as m


def _arguments(magnitude: float) -> dict[str, float]:
    return {
        "rotate": m.rotation(magnitude),
        "shear": m.shear(magnitude),
        "translate": m.translation(magnitude, m.RANDAUGMENT_REACH),
        "enhance": m.enhancement(magnitude),
        "posterize": m.posterize_bits(magnitude),
        "solarize": m.solarize_threshold(magnitude),
        "add": m.solarize_addition(magnitude),
        "cutout": m.cutout_half_side(magnitude, m.RANDAUGMENT_REACH),
    }


@pytest.mark.parametrize(
    ("magnitude", "expected"),
    [
        (10.0, (30.0, 0.3, 100.0, 1.9, 4, 256, 110, 40)),
        (5.0, (15.0, 0.15, 50.0, 1.0, 2, 128, 55, 20)),
    ],
)
def test_published_arguments(magnitude, expected):
    assert tuple(_arguments(magnitude).values()) == pytest.approx(expected, abs=1e-12)


def test_float_magnitudes_between_the_stages_are_not_rounded():
    # The second stage of S: magnitude 6.667 (facts 3.3).
    arguments = _arguments(20 / 3)
    assert arguments["rotate"] == pytest.approx(20.0)
    assert arguments["posterize"] == 2
    assert arguments["solarize"] == 170


def test_autoaugment_reaches_further():
    assert m.translation(9, m.AUTOAUGMENT_REACH) == pytest.approx(225.0)
    assert m.cutout_half_side(10, m.AUTOAUGMENT_REACH) == 100
