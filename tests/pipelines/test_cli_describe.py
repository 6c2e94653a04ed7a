"""`effnetv2 describe`: the family in figures, without TensorFlow."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from model_code.errors import ConfigError
from model_code.model.variants import variant_names
from pipelines.cli import app


def describe(*arguments):
    """What the command prints; errors of ours pass through as they are."""
    result = CliRunner().invoke(app, ["describe", *arguments])
    if isinstance(result.exception, ConfigError):
        raise result.exception
    return result


def test_a_variant_as_a_table():
    text = describe("efficientnetv2-s").stdout
    assert "efficientnetv2-s at 384 px, 1000 classes" in text
    assert "Fused-MBConv4, k3x3, stride 2" in text
    assert "21,612,360 parameters" in text
    published = "multiply-adds at 384 px: 8,365,617,152 here, 8,400,000,000 published"
    assert published in text


def test_a_variant_as_json():
    answer = json.loads(describe("efficientnetv2-s", "--json").stdout)
    assert answer["parameters"] == 21_612_360
    assert [stage["trainable"] for stage in answer["stages"][1:7]] == [
        *(10_464, 303_552, 589_184, 917_680, 3_463_840, 14_561_832)
    ]
    assert sum(stage["trainable"] for stage in answer["stages"]) == answer["trainable"]
    assert answer["top1"] == {"value": 83.9, "source": "README of the released code"}


def test_another_image_size_leaves_the_comparison_where_it_is_published():
    large = json.loads(describe("efficientnetv2-s", "--json").stdout)
    small = json.loads(
        describe("efficientnetv2-s", "--image-size", "128", "--json").stdout
    )
    assert small["multiply_adds"] == pytest.approx(0.934e9, rel=1e-3)
    assert small["comparisons"] == large["comparisons"]


def test_the_family_as_json_and_as_a_table():
    answer = json.loads(describe("--all", "--json").stdout)
    assert [one["variant"] for one in answer] == list(variant_names())
    text = describe("--all").stdout
    assert all(name in text for name in variant_names())
    assert "208.12 M (208)" in text
    assert "0.718 B (0.72)" in text
    assert "0.718 B (0.72)" not in describe("--all", "--image-size", "192").stdout


def test_every_published_figure_is_near_ours():
    for one in json.loads(describe("--all", "--json").stdout):
        for comparison in one["comparisons"]:
            assert abs(comparison["difference_percent"]) < 8, one["variant"]
            assert comparison["source"]


def test_an_unknown_variant():
    with pytest.raises(ConfigError, match="did you mean 'efficientnetv2-m'"):
        describe("efficientnetv2-mm")


@pytest.mark.parametrize("arguments", [(), ("tiny", "--all")])
def test_either_a_variant_or_all(arguments):
    result = describe(*arguments)
    assert result.exit_code == 2
    assert "either the name of a variant or --all" in result.output


def test_neither_tensorflow_nor_keras_is_imported():
    program = (
        "import sys\n"
        "sys.argv = ['effnetv2', 'describe', 'efficientnetv2-s']\n"
        "from pipelines.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print({'tensorflow', 'keras'} & set(sys.modules) or 'neither')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "neither"
