"""Evaluation of a tiny network on a tiny test split, through its one entry."""

import dataclasses
import io
import json
import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from model_code import artifacts, model_card
from model_code.config.recipe import EvaluationConfig
from model_code.data.pixels import decode_for_evaluation
from model_code.errors import ConfigError, DataError
from model_code.evaluation import documents
from model_code.evaluation.champion import Champion
from model_code.evaluation.evaluate import evaluate, judge_champion
from model_code.evaluation.gate import Incumbent
from model_code.evaluation.judging import judge
from model_code.evaluation.report import EvaluationReport
from tests.helpers.datasets import examples, write_dataset
from tests.helpers.models import write_model

CLASSES = ("0", "1", "2")
CONFIG = EvaluationConfig(
    batch_size=4,
    slices=("cell_type",),
    certain_feature="sure",
    bootstrap_resamples=20,
)


def sliced_examples(count: int):
    return [
        dataclasses.replace(
            example,
            slices={
                "cell_type": "mono" if number % 3 == 0 else "poly",
                "sure": "certain" if number % 2 else "uncertain",
            },
        )
        for number, example in enumerate(examples(count))
    ]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    directory = tmp_path_factory.mktemp("data")
    return write_dataset(directory, {"test": sliced_examples(22)})


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("models") / "model"
    write_model(directory, CLASSES)
    return directory


@pytest.fixture(scope="module")
def evaluated(manifest, model_dir, tmp_path_factory):
    output = tmp_path_factory.mktemp("evaluation")
    return evaluate(model_dir, manifest, CONFIG, output), output


def test_every_example_is_judged_once(evaluated):
    report, output = evaluated
    lines = (output / artifacts.PREDICTIONS).read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert report.examples == 22
    counts = Counter(row["id"] for row in rows)
    assert counts == Counter(f"{number}.jpeg" for number in range(22))
    for row in rows:
        assert row["label"] == str(int(row["id"].split(".")[0]) % 3)
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    right = sum(row["correct"] for row in rows)
    assert report.metrics["top1"].value == pytest.approx(right / 22)


def test_slices_and_the_certain_examples_are_reported_alone(evaluated):
    report, _ = evaluated
    assert [(part.value, part.examples) for part in report.slices] == [
        ("mono", 8),
        ("poly", 14),
    ]
    assert (report.certain.value, report.certain.examples) == ("certain", 11)
    top1 = sum(part.metrics["top1"].value * part.examples for part in report.slices)
    assert top1 / 22 == pytest.approx(report.metrics["top1"].value)


def test_the_artifact_is_complete(evaluated):
    report, output = evaluated
    stored = documents.read(EvaluationReport, output / artifacts.EVALUATION)
    assert stored == report
    assert sorted(path.name for path in output.iterdir()) == [
        artifacts.EVALUATION,
        artifacts.PREDICTIONS,
        artifacts.REPORT,
    ]


def test_the_mistakes_are_the_most_confident_ones_with_their_pictures(
    manifest, model_dir
):
    card = model_card.read(model_dir)
    judgement = judge(model_dir, card, manifest, "test", 4)
    table = judgement.predictions
    wrong = np.flatnonzero(~table.correct)
    by_confidence = wrong[np.argsort(-table.confidence[wrong], kind="stable")]
    assert judgement.mistakes == tuple(by_confidence[:12])
    first = table.ids[judgement.mistakes[0]]
    encoded = examples(22)[int(first.split(".")[0])].encoded
    expected = decode_for_evaluation(encoded, card.image_size, card.crop).numpy()
    shown = np.asarray(Image.open(io.BytesIO(judgement.pictures[0])))
    np.testing.assert_array_equal(shown, np.rint(expected).astype(np.uint8))


def test_the_batch_size_changes_nothing(manifest, model_dir):
    card = model_card.read(model_dir)
    whole = judge(model_dir, card, manifest, "test", 64)
    reference = judge(model_dir, card, manifest, "test", 5)
    assert whole.predictions.ids == reference.predictions.ids
    np.testing.assert_allclose(
        whole.predictions.ranked_probabilities,
        reference.predictions.ranked_probabilities,
        atol=1e-6,
    )


def champion_artifacts(model_dir, evaluation, target):
    """As the registry hands them out: Model and Evaluation artifact in one place."""
    shutil.copytree(model_dir, target)
    shutil.copytree(evaluation, target, dirs_exist_ok=True)
    return Champion(version=5, directory=target)


def test_a_champion_of_the_same_split_is_taken_at_its_word(
    evaluated, manifest, model_dir, tmp_path
):
    report, output = evaluated
    champion = champion_artifacts(model_dir, output, tmp_path / "champion")
    told = dataclasses.replace(report, image_size=64)
    documents.write(told, champion.directory / artifacts.EVALUATION)
    assert judge_champion(champion, manifest, CONFIG).report == told


def test_a_champion_of_another_split_is_judged_again(
    evaluated, manifest, model_dir, tmp_path
):
    report, output = evaluated
    champion = champion_artifacts(model_dir, output, tmp_path / "champion")
    grown = dataclasses.replace(manifest, fingerprint="1" * 64)
    target = tmp_path / "evaluation"
    evaluate(model_dir, grown, CONFIG, target, champion=champion)
    incumbent = documents.read(Incumbent, target / artifacts.INCUMBENT)
    assert incumbent.version == 5
    assert incumbent.report.dataset_fingerprint == "1" * 64
    assert incumbent.report.metrics == report.metrics


def test_another_label_space_is_refused(model_dir, manifest, tmp_path):
    other = dataclasses.replace(manifest, class_names=("2", "1", "0"))
    with pytest.raises(DataError, match=r"knows the classes 0, 1, 2.*has 2, 1, 0"):
        evaluate(model_dir, other, CONFIG, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_slice_that_the_dataset_lacks_is_named(model_dir, manifest, tmp_path):
    config = dataclasses.replace(CONFIG, slices=("colour",))
    with pytest.raises(ConfigError, match=r"by colour, .*: cell_type, sure"):
        evaluate(model_dir, manifest, config, tmp_path)
    assert not list(tmp_path.iterdir())


def test_examples_without_a_label_are_counted_and_left_out(model_dir, tmp_path):
    rows = examples(7)
    rows[2] = dataclasses.replace(rows[2], labels=(), texts=())
    rows[4] = dataclasses.replace(rows[4], labels=(0, 1), texts=("0", "1"))
    directory = tmp_path / "data"
    directory.mkdir()
    manifest = write_dataset(directory, {"test": rows})
    config = EvaluationConfig(batch_size=3, bootstrap_resamples=20)
    report = evaluate(model_dir, manifest, config, tmp_path / "out")
    assert (report.examples, report.unlabelled) == (6, 1)
    assert set(report.metrics) == {"top1", "calibration_error"}
    assert report.confusion is None
