"""What KFP demands of a component file, read from the source of each door.

A door that calls a helper of its module is green under `python_func` and raises
NameError in the run: kfp ships the function alone.
"""

import ast
import builtins
import symtable
from pathlib import Path

import pytest

import components
from pipelines.resources import RESOURCES

FILES = sorted(
    path
    for path in Path(components.__file__).parent.glob("*.py")
    if not path.name.startswith("_")
)
ALLOWED_AT_THE_TOP = {"kfp", "typing", "components._image"}
LONGEST_BODY = 10

pytestmark = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def function(path: Path) -> ast.FunctionDef:
    (found,) = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    ]
    return found


def test_a_file_is_one_door_of_its_name(path):
    body = ast.parse(path.read_text()).body

    assert function(path).name == path.stem
    kinds = (ast.Expr, ast.Import, ast.ImportFrom, ast.FunctionDef)
    assert all(isinstance(node, kinds) for node in body)


def test_a_door_is_exported_and_has_resources(path):
    assert path.stem in components.__all__
    assert path.stem in RESOURCES


def test_the_top_imports_no_machine_learning(path):
    imported = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}

    # Nor `__future__`: with annotations as texts, kfp sees no artifact types.
    assert imported <= ALLOWED_AT_THE_TOP


def test_the_decorator_installs_nothing(path):
    (decorator,) = function(path).decorator_list
    assert isinstance(decorator, ast.Call)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in decorator.keywords}

    assert ast.unparse(decorator.func) == "dsl.component"
    assert given == {"base_image": "RUNTIME_IMAGE", "install_kfp_package": "False"}


def test_the_body_is_short(path):
    door = function(path)
    statements = door.body[1:]
    source = path.read_text().splitlines()
    lines = source[statements[0].lineno - 1 : statements[-1].end_lineno]

    assert sum(bool(line.strip()) for line in lines) <= LONGEST_BODY


def test_the_body_uses_no_name_of_its_module(path):
    module = symtable.symtable(path.read_text(), str(path), "exec")
    scopes = [scope for scope in module.get_children() if scope.get_name() == path.stem]
    foreign = set()
    for scope in scopes:
        foreign |= {
            symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global()
        }
        scopes += scope.get_children()

    assert foreign <= set(dir(builtins))


def test_every_argument_is_documented(path):
    door = function(path)
    (documented,) = [
        part
        for part in (ast.get_docstring(door) or "").split("\n\n")
        if part.startswith("Args:")
    ]
    names = [line.split(":")[0].strip() for line in documented.splitlines()[1:]]

    assert names == [argument.arg for argument in door.args.args]
