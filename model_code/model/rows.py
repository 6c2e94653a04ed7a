"""Every network of the paper as a row: sizes, dropout and published figures.

Sizes and dropout are those of the released code (facts 1.2 and 1.3), which the
author calls the source of truth (google/automl#999). `efficientnetv2-s-v1` is
the S of the paper's first version. For EfficientNet-B3 the field has two
rounding rules, hence two rows (facts 1.5, item 7).
"""

from collections.abc import Iterator
from dataclasses import replace

from model_code.model import block_tables as tables
from model_code.model.architecture import Figure, Published, Row

_README = "README of the released code"
_TABLE_7 = "paper, Table 7"
_TABLE_7_FINAL = "final paper, Table 7, as quoted by others"
_V1_TABLE_2 = "EfficientNet paper (arXiv 1905.11946), Table 2"


def _figures(
    top1: float, millions: float, billions: float, source: str
) -> dict[str, Figure]:
    """Percent, millions of parameters, billions of multiply-adds."""
    return {
        "top1": Figure(top1, source),
        "parameters": Figure(millions * 1e6, source),
        "multiply_adds": Figure(billions * 1e9, source),
    }


# Width, depth, train and evaluation size, dropout, published figures.
_BASE = (
    (1.0, 1.0, 192, 224, 0.2, _figures(78.7, 7.1, 0.72, _README)),
    (1.0, 1.1, 192, 240, 0.2, _figures(79.8, 8.1, 1.2, _README)),
    (1.1, 1.2, 208, 260, 0.3, _figures(80.5, 10.1, 1.7, _README)),
    (1.2, 1.4, 240, 300, 0.3, _figures(82.1, 14.4, 3.0, _README)),
)

# Name, block table, train and evaluation size, dropout, published figures.
_LARGE = (
    ("s", tables.S, 300, 384, 0.2, _figures(83.9, 21.5, 8.4, _README)),
    ("m", tables.M, 384, 480, 0.3, _figures(85.2, 54.1, 24.7, _README)),
    (
        *("l", tables.L, 384, 480, 0.4),
        # The README's count for L, 119.5 M, is a slip (facts 2.1).
        _figures(85.7, 119.5, 56.3, _README)
        | {"parameters": Figure(120e6, _TABLE_7_FINAL)},
    ),
    # Pretrained on ImageNet-21k, the only way in which XL was trained.
    ("xl", tables.XL, 384, 512, 0.4, _figures(87.3, 208, 94, _TABLE_7_FINAL)),
)

# Width, depth, evaluation size, dropout, published figures.
_V1 = (
    (1.0, 1.0, 224, 0.2, _figures(77.1, 5.3, 0.39, _V1_TABLE_2)),
    (1.0, 1.1, 240, 0.2, _figures(79.1, 7.8, 0.70, _V1_TABLE_2)),
    (1.1, 1.2, 260, 0.3, _figures(80.1, 9.2, 1.0, _V1_TABLE_2)),
    (1.2, 1.4, 300, 0.3, _figures(81.5, 12, 1.9, _TABLE_7)),
    (1.4, 1.8, 380, 0.4, _figures(82.9, 19, 4.2, _TABLE_7)),
    (1.6, 2.2, 456, 0.4, _figures(83.7, 30, 10, _TABLE_7)),
    (1.8, 2.6, 528, 0.5, _figures(84.3, 43, 19, _TABLE_7)),
    (2.0, 3.1, 600, 0.5, _figures(84.7, 66, 38, _TABLE_7)),
)


def _base_rows() -> Iterator[Row]:
    for number, (width, depth, train, evaluation, dropout, figures) in enumerate(_BASE):
        yield Row(
            name=f"efficientnetv2-b{number}",
            stages=tables.BASE,
            width_coefficient=width,
            depth_coefficient=depth,
            published=Published(
                train_image_size=train,
                evaluation_image_size=evaluation,
                dropout_rate=dropout,
                preprocessing="imagenet_mean_std",
                **figures,
            ),
        )


def _large_rows() -> Iterator[Row]:
    for letters, stages, train, evaluation, dropout, figures in _LARGE:
        yield Row(
            name=f"efficientnetv2-{letters}",
            stages=stages,
            published=Published(
                train_image_size=train,
                evaluation_image_size=evaluation,
                dropout_rate=dropout,
                preprocessing="unit_range",
                **figures,
            ),
        )


def _first_version_of_s() -> Row:
    return Row(
        name="efficientnetv2-s-v1",
        stages=tables.S_PAPER_V1,
        head_filters=1792,
        published=Published(
            train_image_size=300,
            evaluation_image_size=384,
            dropout_rate=0.3,  # its last progressive stage (paper, Table 6)
            preprocessing="unit_range",
            **_figures(83.9, 24, 8.8, "first version of the paper, Table 7"),
        ),
    )


def _v1_rows() -> Iterator[Row]:
    for number, (width, depth, evaluation, dropout, figures) in enumerate(_V1):
        row = Row(
            name=f"efficientnet-b{number}",
            stages=tables.V1,
            width_coefficient=width,
            depth_coefficient=depth,
            published=Published(
                # 0.8 of the evaluation size, floored to a multiple of 16 (facts 1.3).
                train_image_size=int(0.8 * evaluation) // 16 * 16,
                evaluation_image_size=evaluation,
                dropout_rate=dropout,
                preprocessing="imagenet_mean_std",
                **figures,
            ),
        )
        yield row
        if number == 3:
            # As Keras, timm and torchvision scale it, and ship weights for it.
            yield replace(
                row,
                name="efficientnet-b3-keras",
                rounding="nearest_losing_at_most_a_tenth",
            )


def _tiny() -> Row:
    return Row(
        name="tiny",
        stages=tables.TINY,
        head_filters=32,
        published=Published(
            train_image_size=32,
            evaluation_image_size=32,
            dropout_rate=0.2,
            preprocessing="unit_range",
        ),
    )


ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        *_base_rows(),
        *_large_rows(),
        _first_version_of_s(),
        *_v1_rows(),
        _tiny(),
    )
}
"""Every row by name, in the order in which `effnetv2 describe --all` lists it."""
