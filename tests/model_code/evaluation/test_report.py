"""evaluation.json."""

import pytest
from pydantic import ValidationError

from model_code.artifacts import EVALUATION, read_json, write_json
from model_code.evaluation import report
from tests.helpers.reports import evaluation_report


def test_a_report_reads_back_equal(tmp_path):
    written = evaluation_report(auroc=0.91)
    report.write(written, tmp_path / EVALUATION)
    assert report.read(tmp_path / EVALUATION) == written


def test_a_report_with_an_unknown_field_is_refused(tmp_path):
    path = tmp_path / EVALUATION
    report.write(evaluation_report(), path)
    write_json(path, read_json(path) | {"surprise": 1})
    with pytest.raises(ValidationError, match="surprise"):
        report.read(path)
