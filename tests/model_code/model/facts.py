"""Numbers of the reference facts (section 6), which the room is tested against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    total: int
    trainable: int
    blocks: int
    skips: int
    norms: int
    squeezes: int


# Checks 1, 2, 12 and 13.
V2 = {
    "efficientnetv2-b0": Facts(7_200_312, 7_139_704, 21, 15, 59, 16),
    "efficientnetv2-b1": Facts(8_212_124, 8_141_052, 27, 21, 73, 19),
    "efficientnetv2-b2": Facts(10_178_374, 10_096_086, 28, 22, 76, 20),
    "efficientnetv2-b3": Facts(14_467_622, 14_358_406, 32, 26, 88, 24),
    "efficientnetv2-s": Facts(21_612_360, 21_458_488, 40, 35, 110, 30),
    "efficientnetv2-m": Facts(54_431_388, 54_139_356, 57, 51, 157, 44),
    "efficientnetv2-l": Facts(119_027_848, 118_515_272, 79, 73, 217, 61),
    "efficientnetv2-xl": Facts(208_896_832, 208_119_808, 100, 94, 278, 80),
}

# Checks 5 and 6: total parameters of the others.
OTHERS = {
    "efficientnet-b0": 5_330_564,
    "efficientnet-b1": 7_856_232,
    "efficientnet-b2": 9_177_562,
    "efficientnet-b3": 12_314_268,
    "efficientnet-b3-keras": 12_320_528,
    "efficientnet-b4": 19_466_816,
    "efficientnet-b5": 30_562_520,
    "efficientnet-b6": 43_265_136,
    "efficientnet-b7": 66_658_680,
    "efficientnetv2-s-v1": 24_100_800,
}

# Check 8: multiply-adds at the evaluation size, in billions.
MULTIPLY_ADDS = {
    "efficientnetv2-b0": 0.7181,
    "efficientnetv2-b1": 1.1968,
    "efficientnetv2-b2": 1.6975,
    "efficientnetv2-b3": 3.0115,
    "efficientnetv2-s": 8.3656,
    "efficientnetv2-m": 24.5825,
    "efficientnetv2-l": 56.0797,
    "efficientnetv2-xl": 93.3535,
    "efficientnet-b0": 0.386,
    "efficientnet-b1": 0.687,
    "efficientnet-b2": 0.994,
    "efficientnet-b3": 1.757,
    "efficientnet-b3-keras": 1.827,
    "efficientnet-b4": 4.394,
    "efficientnet-b5": 10.266,
    "efficientnet-b6": 19.068,
    "efficientnet-b7": 37.746,
}

# Section 1.6: side and filters after stem, stages 1 to 7 and head.
OUTPUTS = {
    ("efficientnetv2-b0", 224): ("112x32 112x16 56x32 28x48 14x96 14x112 7x192 7x1280"),
    ("efficientnetv2-b1", 240): ("120x32 120x16 60x32 30x48 15x96 15x112 8x192 8x1280"),
    ("efficientnetv2-b2", 260): (
        "130x32 130x16 65x32 33x56 17x104 17x120 9x208 9x1408"
    ),
    ("efficientnetv2-b3", 300): (
        "150x40 150x16 75x40 38x56 19x112 19x136 10x232 10x1536"
    ),
    ("efficientnetv2-s", 384): (
        "192x24 192x24 96x48 48x64 24x128 24x160 12x256 12x1280"
    ),
    ("efficientnetv2-m", 480): (
        "240x24 240x24 120x48 60x80 30x160 30x176 15x304 15x512 15x1280"
    ),
    ("efficientnetv2-l", 480): (
        "240x32 240x32 120x64 60x96 30x192 30x224 15x384 15x640 15x1280"
    ),
    ("efficientnetv2-xl", 512): (
        "256x32 256x32 128x64 64x96 32x192 32x256 16x512 16x640 16x1280"
    ),
}
