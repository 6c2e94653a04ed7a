"""YAML to a checked recipe: inheritance, overrides, errors that name the way out.

A recipe file states only how it differs: from the defaults of the schema, or
from another recipe that it `extends`. An override is `path.to.key=value`, the
value read as YAML, or `path.to.key=@file.yaml` for the content of a file. An
unknown key is an error that names the nearest one.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from model_code.config.recipe import Recipe
from model_code.config.search import SearchRecipe
from model_code.errors import ConfigError

_RECIPES = resources.files("model_code") / "recipes"
_SEARCH_PREFIX = "search-"

RecipeT = TypeVar("RecipeT")


def recipe_names() -> list[str]:
    """Names of the training recipes that ship with the package, sorted."""
    return [name for name in _names() if not name.startswith(_SEARCH_PREFIX)]


def search_recipe_names() -> list[str]:
    """Names of the search recipes that ship with the package, sorted."""
    return [name for name in _names() if name.startswith(_SEARCH_PREFIX)]


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of that name or file, with overrides applied and checked.

    Raises:
        ConfigError: no such recipe, not YAML, an unknown key, or a value of
            the wrong type or out of range.
    """
    return _TRAINING.load(name_or_path, overrides)


def load_search_recipe(
    name_or_path: str, overrides: Sequence[str] = ()
) -> SearchRecipe:
    """As `load_recipe`, for what `effnetv2 search` runs."""
    return _SEARCH.load(name_or_path, overrides)


def recipe_from_dict(settings: Mapping[str, Any], origin: str) -> Recipe:
    """Check plain values against the schema; `origin` is named in errors."""
    return _TRAINING.check(settings, origin)


def recipe_from_json(text: str) -> Recipe:
    """The inverse of `recipe.to_json`; how a task receives its recipe."""
    return _TRAINING.check(_parse_json(text), "given as JSON")


def search_recipe_from_json(text: str) -> SearchRecipe:
    """The inverse of `search.to_json`; how a task receives its recipe."""
    return _SEARCH.check(_parse_json(text), "given as JSON")


@dataclass(frozen=True)
class _Schema(Generic[RecipeT]):
    """One kind of recipe; everything but the type is shared."""

    adapter: TypeAdapter[RecipeT]

    def load(self, name_or_path: str, overrides: Sequence[str]) -> RecipeT:
        settings = _read_extended(name_or_path, seen=())
        for override in overrides:
            settings = _merge(settings, _parse_override(override))
        return self.check(settings, origin=name_or_path)

    def check(self, settings: Mapping[str, Any], origin: str) -> RecipeT:
        try:
            return self.adapter.validate_python(dict(settings))
        except ValidationError as error:
            schema = self.adapter.json_schema()
            problems = "; ".join(_explain(detail, schema) for detail in error.errors())
            raise ConfigError(f"Recipe {origin}: {problems}.") from error


_TRAINING = _Schema(TypeAdapter(Recipe))
_SEARCH = _Schema(TypeAdapter(SearchRecipe))


def _names() -> list[str]:
    names = [entry.name for entry in _RECIPES.iterdir()]
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith("yaml"))


def _read_extended(name_or_path: str, seen: tuple[str, ...]) -> dict[str, Any]:
    if name_or_path in seen:
        raise ConfigError(
            f"Recipe {name_or_path} extends itself ({' -> '.join(seen)}); "
            "expected a chain that ends; remove one `extends`."
        )
    settings = _parse_yaml(_read_text(name_or_path), name_or_path)
    parent = settings.pop("extends", None)
    if parent is None:
        return settings
    return _merge(_read_extended(str(parent), (*seen, name_or_path)), settings)


def _read_text(name_or_path: str) -> str:
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        return _read_file(path)
    known = _names()
    if name_or_path not in known:
        raise ConfigError(
            f"Recipe {name_or_path!r} is not known{_nearest(name_or_path, known)}; "
            f"expected one of {', '.join(known)}, or the path of a .yaml file."
        )
    return (_RECIPES / f"{name_or_path}.yaml").read_text(encoding="utf-8")


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"Recipe file {path} cannot be read ({error.strerror}); "
            "give the path of a readable YAML file."
        ) from error


def _parse_json(text: str) -> dict[str, Any]:
    """Not as YAML, whose 1e-07 is a text."""
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"Recipe given as JSON is not JSON: {error}.") from error
    if not isinstance(settings, dict):
        raise ConfigError(
            f"Recipe given as JSON holds {type(settings).__name__}; "
            "expected an object of settings."
        )
    return settings


def _parse_yaml(text: str, origin: str) -> dict[str, Any]:
    try:
        settings = yaml.load(text, Loader=_UniqueKeyLoader)  # a SafeLoader
    except yaml.YAMLError as error:
        raise ConfigError(f"Recipe {origin} is not valid YAML: {error}.") from error
    if not isinstance(settings, dict):
        raise ConfigError(
            f"Recipe {origin} holds {type(settings).__name__}; "
            "expected a mapping of settings."
        )
    return settings


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys; a recipe must not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _parse_override(override: str) -> dict[str, Any]:
    path, separator, text = override.partition("=")
    if not separator or not path.strip():
        raise ConfigError(
            f"Override {override!r} is not of the form path.to.key=value; "
            "for example finetune.train.epochs=3."
        )
    value: Any
    if text.startswith("@"):
        value = _parse_yaml(_read_file(Path(text[1:])), text[1:])
    else:
        value = _parse_value(override, text)
    for key in reversed(path.strip().split(".")):
        value = {key: value}
    return dict(value)


def _parse_value(override: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"Override {override!r}: value is not YAML.") from error


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key; anything else replaces what was there.

    A mapping with another `kind` replaces its predecessor whole: the settings
    of one source or loss mean nothing to another.
    """
    if changes.get("kind", base.get("kind")) != base.get("kind"):
        return dict(changes)
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _explain(detail: ErrorDetails, schema: dict[str, Any]) -> str:
    path = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "unexpected_keyword_argument":
        return (
            f"unknown key {path!r}{_nearest_key(detail, schema)}; remove or rename it"
        )
    if detail["type"].startswith("missing"):
        return f"{path!r} is missing; it has no default, so the recipe must give it"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{path!r} is {detail['input']!r}: {message[0].lower()}{message[1:]}"


def _nearest_key(detail: ErrorDetails, schema: dict[str, Any]) -> str:
    known = _known_keys(schema, detail["loc"][:-1])
    return _nearest(str(detail["loc"][-1]), known)


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _known_keys(schema: dict[str, Any], path: Sequence[int | str]) -> list[str]:
    """Property names that the schema allows at `path`, across alternatives."""
    definitions = schema.get("$defs", {})
    nodes = _alternatives(schema, definitions)
    for part in path:
        children = [node.get("properties", {}).get(part) for node in nodes]
        children += [node.get("items") for node in nodes if isinstance(part, int)]
        found = [child for child in children if child]
        # A discriminated union puts the tag of the chosen source into the path.
        if found:
            nodes = [
                alt for child in found for alt in _alternatives(child, definitions)
            ]
    return sorted({key for node in nodes for key in node.get("properties", {})})


def _alternatives(
    node: dict[str, Any], definitions: dict[str, Any]
) -> list[dict[str, Any]]:
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        return _alternatives(definitions[name], definitions)
    options = node.get("anyOf", []) + node.get("oneOf", []) + node.get("allOf", [])
    if not options:
        return [node]
    return [alt for option in options for alt in _alternatives(option, definitions)]
