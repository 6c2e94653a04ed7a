"""JSON against KFP's published API, by the models of kfp-server-api.

A key that the model does not have, a value of another type or a missing
enumeration member is an error, in requests and in responses alike.
"""

import json
from types import SimpleNamespace
from typing import Any

import kfp_server_api as api

_CLIENT = api.ApiClient(api.Configuration(host="http://unused"))


def check(model: str, body: Any) -> Any:
    """The body as the model, or ValueError naming what does not fit."""
    _refuse_unknown(model, body, model)
    return _CLIENT.deserialize(SimpleNamespace(data=json.dumps(body)), model)


def plain(model: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body as the server sends it, checked against the model."""
    without_none = {key: value for key, value in body.items() if value is not None}
    sent = _CLIENT.sanitize_for_serialization(without_none)
    check(model, sent)
    return sent


def _refuse_unknown(model: str, body: Any, path: str) -> None:
    if body is None:
        return
    if model.startswith("list["):
        for index, item in enumerate(body):
            _refuse_unknown(model[5:-1], item, f"{path}[{index}]")
        return
    if model.startswith("dict("):
        for key, item in body.items():
            _refuse_unknown(model[5:-1].split(", ")[1], item, f"{path}.{key}")
        return
    expected = {"str": str, "bool": bool, "int": int}.get(model)
    if expected is not None:
        if not isinstance(body, expected):
            raise ValueError(f"{path} is {body!r}, not {model}")
        return
    cls = getattr(api, model, None)
    if cls is None:
        return
    if not cls.attribute_map:
        allowed = getattr(cls, "allowable_values", [])
        if body not in allowed:
            raise ValueError(f"{path} is {body!r}, not one of {allowed}")
        return
    types = {cls.attribute_map[key]: kind for key, kind in cls.openapi_types.items()}
    for key, value in body.items():
        if key not in types:
            raise ValueError(f"{path} has no field {key!r}")
        _refuse_unknown(types[key], value, f"{path}.{key}")
