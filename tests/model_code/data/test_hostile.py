"""Hostile files: each in the dataset or in the dead letters, for a true reason."""

import pytest

from model_code.config.dataset import SplitConfig
from model_code.data.ingest import ingest
from model_code.data.ingestion import dead_letters
from model_code.data.records import Example
from tests.helpers.corpora import folder_config
from tests.helpers.datasets_read import read_examples
from tests.helpers.hostile import OK, hostile_files, write_links


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What each file may become, by its name below the source."""
    directory = tmp_path_factory.mktemp("hostile") / "in" / "class"
    directory.mkdir(parents=True)
    allowed = write_links(directory)
    for file in hostile_files():
        (directory / file.name).write_bytes(file.content)
        allowed[file.name] = file.outcomes
    return directory, {f"class/{name}": found for name, found in allowed.items()}


@pytest.fixture(scope="module")
def dataset(outcomes, tmp_path_factory):
    config = folder_config(
        outcomes[0].parent,
        splits=SplitConfig(test=0.0, validation=0.0),
        maximum_dead_letters=1.0,
    )
    return ingest(config, str(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def examples(dataset) -> list[Example]:
    return read_examples(dataset)["train"]


def test_there_are_at_least_two_hundred_distinct_files():
    assert len({file.name for file in hostile_files()}) >= 200


def test_every_file_ends_in_one_place_for_a_true_reason(outcomes, dataset, examples):
    found = [(example.filename, OK) for example in examples]
    letters = dead_letters.read(dataset)
    found += [(letter.filename, letter.reason) for letter in letters]
    _, allowed = outcomes
    assert sorted(name for name, _ in found) == sorted(allowed)
    wrong = {name: reason for name, reason in found if reason not in allowed[name]}
    assert wrong == {}
    assert all(letter.detail for letter in letters)


def test_tensorflow_decodes_all_that_came_through(examples):
    import tensorflow as tf

    for example in examples:
        for channels in (1, 3):
            pixels = tf.io.decode_image(
                example.encoded, channels=channels, expand_animations=False
            )
            expected = (example.height, example.width, channels)
            assert tuple(pixels.shape) == expected, example.filename
