"""Every field of the schema is read somewhere: a knob nobody turns is a lie."""

import ast
import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import model_code.config

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "model_code" / "config"


def _schema_fields() -> Iterator[tuple[str, str]]:
    for module in pkgutil.iter_modules(model_code.config.__path__):
        loaded = importlib.import_module(f"model_code.config.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value):
                for field in dataclasses.fields(value):
                    yield value.__name__, field.name


def _attributes_read() -> set[str]:
    names = set()
    for room in ("model_code", "components", "pipelines"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    names.add(node.attr)
    return names


def test_every_setting_is_read():
    read = _attributes_read()
    # Prose for people; `kind` is read by pydantic to pick the class.
    exempt = {("Recipe", "description"), ("SearchRecipe", "description")}
    unread = {
        f"{owner}.{name}"
        for owner, name in _schema_fields()
        if name not in read and name != "kind" and (owner, name) not in exempt
    }
    assert unread == set()
