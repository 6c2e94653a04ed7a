"""Reports, incumbents and decisions as files."""

import pytest
from pydantic import ValidationError

from model_code.artifacts import EVALUATION, read_json, write_json
from model_code.config.recipe import GateConfig
from model_code.evaluation import documents
from model_code.evaluation.gate import GateDecision, Incumbent, decide
from model_code.evaluation.report import EvaluationReport
from tests.helpers.reports import evaluation_report

REPORT = evaluation_report(auroc=0.91)
INCUMBENT = Incumbent(version=3, report=REPORT)


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (EvaluationReport, REPORT),
        (Incumbent, INCUMBENT),
        (GateDecision, decide(REPORT, INCUMBENT, GateConfig())),
    ],
)
def test_a_document_reads_back_equal(tmp_path, kind, document):
    documents.write(document, tmp_path / "document.json")
    assert documents.read(kind, tmp_path / "document.json") == document


def test_an_unknown_field_is_refused(tmp_path):
    path = tmp_path / EVALUATION
    documents.write(REPORT, path)
    write_json(path, read_json(path) | {"surprise": 1})
    with pytest.raises(ValidationError, match="surprise"):
        documents.read(EvaluationReport, path)
