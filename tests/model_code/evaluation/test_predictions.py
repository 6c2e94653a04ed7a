"""The table of predictions: ranking, slices, the file."""

import json

import numpy as np
import pytest

from model_code.evaluation.predictions import concatenate, rank, write


def small_table():
    return rank(
        ["a", "b", "c"],
        np.array([[1, 0], [0, 1], [1, 0]]),
        np.array([[0.75, 0.25], [0.75, 0.25], [0.5, 0.5]]),
        {"type": ["mono", "poly", "mono"]},
    )


def test_classes_are_ranked_and_ties_go_to_the_lower_id():
    predictions = small_table()
    assert predictions.ranked_classes.tolist() == [[0, 1], [0, 1], [0, 1]]
    assert predictions.correct.tolist() == [True, False, True]
    assert predictions.labels.tolist() == [0, 1, 0]


def test_a_slice_keeps_its_examples_whole():
    mono = small_table().in_slice("type", "mono")
    assert mono.ids == ("a", "c")
    assert mono.slices == {"type": ("mono", "mono")}
    assert mono.correct.tolist() == [True, True]


def test_batches_join_into_the_table_of_all():
    whole = small_table()
    parts = [whole.where(np.array(m, bool)) for m in ([1, 0, 0], [0, 1, 1])]
    joined = concatenate(parts)
    assert joined.ids == whole.ids
    assert joined.slices == whole.slices
    np.testing.assert_array_equal(
        joined.ranked_probabilities, whole.ranked_probabilities
    )


def test_many_classes_keep_the_twenty_most_probable():
    probabilities = np.linspace(0, 1, 50)[np.newaxis]
    predictions = rank(["a"], np.eye(50)[[3]], probabilities, {})
    assert predictions.ranked_classes[0].tolist() == list(range(49, 29, -1))
    assert not predictions.hits.any()


def test_the_file_has_one_line_an_example(tmp_path):
    path = tmp_path / "predictions.jsonl"
    write(small_table(), ("good", "bad"), path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows[1] == {
        "id": "b",
        "label": "bad",
        "correct": False,
        "probabilities": {"good": 0.75, "bad": 0.25},
        "slices": {"type": "poly"},
    }
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("labels", "probabilities", "problem"),
    [
        ([[1, 0]], [[0.5, float("nan")]], "NaN"),
        ([[0, 0]], [[0.5, 0.5]], "without a label"),
        ([[1, 0, 0]], [[0.5, 0.5]], "expected"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(labels, probabilities, problem):
    with pytest.raises(ValueError, match=problem):
        rank(["a"], np.array(labels), np.array(probabilities), {})
