"""Reports, incumbents and decisions as JSON files."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from model_code.artifacts import read_json, write_json
from model_code.evaluation.gate import GateDecision, Incumbent
from model_code.evaluation.report import EvaluationReport

Document = TypeVar("Document", EvaluationReport, Incumbent, GateDecision)


def write(document: Document, path: Path) -> None:
    """Write the document as JSON, whole or not at all."""
    write_json(path, TypeAdapter(type(document)).dump_python(document, mode="json"))


def read(kind: type[Document], path: Path) -> Document:
    """The document of that kind that `write` wrote."""
    return TypeAdapter(kind).validate_python(read_json(path))
