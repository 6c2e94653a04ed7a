import json
import re
import sys
from dataclasses import replace

import pytest

from model_code import artifacts
from model_code.config.dataset import ValidationConfig
from model_code.data.manifest import DatasetManifest, Range, SplitManifest
from model_code.data.validation import validate
from model_code.errors import DataError, UnavailableError


def _split(*counts: int, **slices: dict[str, int]) -> SplitManifest:
    return SplitManifest(
        examples=sum(counts), class_counts=counts, shards=(), slice_counts=slices
    )


def _dataset(**splits: SplitManifest) -> DatasetManifest:
    return DatasetManifest(
        name="pets",
        key="0" * 16,
        fingerprint="f" * 64,
        location="/nowhere",
        class_names=("cat <b>", "dog"),
        splits=splits,
        height=Range(minimum=10, mean=15, maximum=20),
        width=Range(minimum=10, mean=15, maximum=20),
    )


EVEN = _dataset(train=_split(60, 40), validation=_split(6, 4), test=_split(12, 8))


@pytest.fixture(autouse=True)
def _without_tfdv(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_data_validation", None)


def test_a_balanced_dataset_passes_and_the_artifact_says_so(tmp_path):
    report = validate(EVEN, ValidationConfig(), tmp_path)
    assert report.passed
    report.require_passed()
    written = json.loads((tmp_path / artifacts.VALIDATION).read_text())
    assert written["passed"] is True
    assert written["examples"] == {"train": 100, "validation": 10, "test": 20}
    assert written["class_shares"]["test"] == [0.6, 0.4]


def test_it_says_plainly_that_tfdv_was_not_run(tmp_path):
    report = validate(EVEN, ValidationConfig(), tmp_path)
    assert not report.tfdv.ran
    assert "tensorflow_data_validation" in report.tfdv.reason
    page = (tmp_path / artifacts.VALIDATION_HTML).read_text()
    assert "TFDV was not run: it cannot be imported" in page


def test_a_recipe_may_demand_tfdv(tmp_path):
    with pytest.raises(UnavailableError, match=r"require_tfdv.*tfx extra"):
        validate(EVEN, ValidationConfig(require_tfdv=True), tmp_path)


def test_a_skewed_split_stops_the_run_and_names_the_class(tmp_path):
    skewed = _dataset(train=_split(60, 40), test=_split(9, 11))
    report = validate(skewed, ValidationConfig(maximum_split_skew=0.1), tmp_path)
    [distance] = report.distances
    assert distance.value == pytest.approx(0.15)
    with pytest.raises(
        DataError, match=r"share of label .* differs by 0.150 between train and test"
    ):
        report.require_passed()
    assert validate(skewed, ValidationConfig(), tmp_path).passed


def test_a_limit_is_the_last_distance_that_passes(tmp_path):
    skewed = _dataset(train=_split(50, 50), test=_split(3, 1))
    passes = ValidationConfig(maximum_split_skew=0.25)
    assert validate(skewed, passes, tmp_path).passed
    fails = ValidationConfig(maximum_split_skew=0.2499)
    assert not validate(skewed, fails, tmp_path).passed


def test_slice_features_are_compared_too(tmp_path):
    skewed = _dataset(
        train=_split(60, 40, type={"mono": 50, "poly": 50}),
        test=_split(12, 8, type={"mono": 20}),
    )
    report = validate(skewed, ValidationConfig(), tmp_path)
    assert {d.feature: d.value for d in report.distances} == {
        "label": pytest.approx(0),
        "type": pytest.approx(0.5),
    }
    assert [found.check for found in report.findings] == ["skew"]


def test_drift_is_measured_against_an_earlier_span(tmp_path):
    later = _dataset(train=_split(20, 80))
    config = ValidationConfig(maximum_span_drift=0.3)
    report = validate(later, config, tmp_path, previous=EVEN)
    [drift] = report.distances
    assert drift.between == ("previous span", "this span")
    assert drift.value == pytest.approx(0.4)
    assert [found.check for found in report.findings] == ["drift"]
    same = validate(EVEN, config, tmp_path, previous=EVEN)
    assert same.passed


def test_a_class_that_is_new_in_a_span_is_drift(tmp_path):
    renamed = replace(EVEN, class_names=("cat <b>", "wolf"))
    report = validate(renamed, ValidationConfig(), tmp_path, previous=EVEN)
    drifts = [d for d in report.distances if d.between[0] == "previous span"]
    assert drifts[0].value == pytest.approx(0.4)


def test_an_empty_split_is_an_error(tmp_path):
    report = validate(
        _dataset(train=_split(6, 4), test=_split(0, 0)), ValidationConfig(), tmp_path
    )
    assert [found.check for found in report.findings] == ["empty split"]
    assert not report.passed


def test_conflicting_duplicates_and_dead_letters_are_warnings(tmp_path):
    odd = replace(EVEN, duplicates=3, conflicting_duplicates=2, dead_letters={"e": 4})
    report = validate(odd, ValidationConfig(), tmp_path)
    assert report.passed
    assert [found.severity for found in report.findings] == ["warning", "warning"]
    assert "2 images occur again with another label" in report.findings[0].message


def test_the_page_is_self_contained_and_escapes_names(tmp_path):
    validate(EVEN, ValidationConfig(), tmp_path)
    page = (tmp_path / artifacts.VALIDATION_HTML).read_text()
    assert "cat &lt;b&gt;" in page
    assert "cat <b>" not in page
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", page)


def test_of_many_classes_the_page_shows_the_most_and_least_frequent(tmp_path):
    many = replace(
        EVEN,
        class_names=tuple(f"class-{index:04d}" for index in range(500)),
        splits={"train": _split(*range(1, 501))},
    )
    validate(many, ValidationConfig(), tmp_path)
    page = (tmp_path / artifacts.VALIDATION_HTML).read_text()
    assert "class-0499" in page
    assert "class-0000" in page
    assert "class-0250" not in page
    assert "440 classes between" in page
