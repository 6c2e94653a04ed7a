"""Counts without building (facts 6, checks 1 to 12 and 58)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.model.complexity import complexity, total
from model_code.model.variants import find_variant, variant_names
from tests.model_code.model import facts


def counted(name, image_size=None, class_count=1000):
    row = find_variant(name)
    size = image_size or row.published.evaluation_image_size
    return complexity(row, size, class_count)


@pytest.mark.parametrize("name", facts.V2)
def test_v2_parameters_are_exact(name):
    cost = counted(name).total
    assert cost.parameters == facts.V2[name].total
    assert cost.trainable == facts.V2[name].trainable


@pytest.mark.parametrize("name", facts.OTHERS)
def test_other_parameters_are_exact(name):
    assert counted(name).total.parameters == facts.OTHERS[name]


def test_every_row_is_compared_with_a_fact():
    assert {*facts.V2, *facts.OTHERS} == {*variant_names()} - {"tiny"}


def test_the_first_version_of_s_has_its_trainable_parameters():
    assert counted("efficientnetv2-s-v1").total.trainable == 23_940_048


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("efficientnetv2-b0", 5_919_312),
        ("efficientnetv2-s", 20_331_360),
        ("efficientnetv2-m", 53_150_388),
        ("efficientnetv2-l", 117_746_848),
    ],
)
def test_parameters_without_a_classifier(name, parameters):
    assert counted(name, class_count=None).total.parameters == parameters


@pytest.mark.parametrize(
    ("name", "classes", "parameters"),
    [
        ("efficientnetv2-b0", 21_843, 33_900_195),
        ("efficientnetv2-s", 21_843, 48_312_243),
        ("efficientnetv2-xl", 21_843, 235_596_715),
        ("efficientnetv2-s", 10, 20_344_170),
        ("efficientnetv2-s", 196, 20_582_436),
        ("efficientnetv2-b0", 102, 6_049_974),
    ],
)
def test_parameters_with_other_classes(name, classes, parameters):
    assert counted(name, class_count=classes).total.parameters == parameters


def test_parameters_of_each_stage_of_s():
    parts = counted("efficientnetv2-s").parts
    stages = [
        total(part for part in parts if part.block and part.block.stage == stage)
        for stage in range(1, 7)
    ]
    assert [cost.trainable for cost in stages] == [
        *(10_464, 303_552, 589_184, 917_680, 3_463_840, 14_561_832)
    ]


@pytest.mark.parametrize("name", facts.MULTIPLY_ADDS)
def test_multiply_adds_at_the_evaluation_size(name):
    billions = counted(name).total.multiply_adds / 1e9
    assert billions == pytest.approx(facts.MULTIPLY_ADDS[name], rel=1e-3)


@pytest.mark.parametrize(
    ("size", "billions"), [(171, 1.799), (214, 2.738), (257, 4.122), (300, 5.308)]
)
def test_multiply_adds_of_s_at_its_training_sizes(size, billions):
    cost = counted("efficientnetv2-s", size).total
    assert cost.multiply_adds / 1e9 == pytest.approx(billions, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "published", "tolerance"),
    [
        # README of the released code.
        ("efficientnetv2-s", 8.4, 0.015),
        ("efficientnetv2-m", 24.7, 0.015),
        ("efficientnetv2-l", 56.3, 0.015),
        ("efficientnetv2-b0", 0.72, 0.015),
        ("efficientnetv2-b1", 1.2, 0.015),
        ("efficientnetv2-b2", 1.7, 0.015),
        ("efficientnetv2-b3", 3.0, 0.015),
        # The paper.
        ("efficientnetv2-s-v1", 8.8, 0.07),
        ("efficientnetv2-m", 24, 0.07),
        ("efficientnetv2-l", 53, 0.07),
        ("efficientnetv2-xl", 94, 0.07),
    ],
)
def test_multiply_adds_agree_with_what_is_published(name, published, tolerance):
    billions = counted(name).total.multiply_adds / 1e9
    assert billions == pytest.approx(published, rel=tolerance)


@pytest.mark.parametrize(("name", "size"), facts.OUTPUTS)
def test_output_of_each_stage(name, size):
    parts = counted(name, size).parts
    shapes = {}
    for part in parts:
        key = part.block.stage if part.block else part.name
        shapes[key] = f"{part.output_size}x{part.output_filters}"
    del shapes["classifier"]
    assert " ".join(shapes.values()) == facts.OUTPUTS[name, size]


def fused_b4(stages, with_se):
    """B4 with its first stages fused, 5x5 kernels kept where they are wide.

    The paper's caption counts the stem as stage 1 (facts 5, Table 3).
    """
    row = find_variant("efficientnet-b4")
    fused = [
        replace(
            spec,
            operation="fused_mbconv",
            kernel_size=3 if spec.output_filters == 40 else spec.kernel_size,
            se_ratio=spec.se_ratio if with_se else 0.0,
        )
        for spec in row.stages[:stages]
    ]
    return replace(row, stages=(*fused, *row.stages[stages:]))


@pytest.mark.parametrize("with_se", [False, True])
@pytest.mark.parametrize(
    ("stages", "millions", "billions"),
    [(0, 19.34, 4.39), (3, 20.0, 7.34), (5, 43, 20.7), (7, 132, 33.7)],
)
def test_fusing_stages_of_b4_costs_what_the_paper_says(
    stages, millions, billions, with_se
):
    cost = complexity(fused_b4(stages, with_se), 380).total
    assert cost.trainable / 1e6 == pytest.approx(millions, rel=0.03)
    assert cost.multiply_adds / 1e9 == pytest.approx(billions, rel=0.03)


@given(st.sampled_from(variant_names()), st.integers(16, 600))
def test_a_larger_image_costs_more_and_changes_no_parameter(name, size):
    row = find_variant(name)
    small, large = complexity(row, size).total, complexity(row, size + 32).total
    assert small.multiply_adds < large.multiply_adds
    assert small.activations < large.activations
    assert (small.trainable, small.non_trainable) == (
        *(large.trainable, large.non_trainable),
    )


@given(st.sampled_from(variant_names()), st.integers(1, 30_000))
def test_a_class_costs_its_features_and_a_bias(name, classes):
    row = find_variant(name)
    without = complexity(row, 64, None).total.parameters
    each = row.feature_filters + 1
    assert complexity(row, 64, classes).total.parameters == without + classes * each
