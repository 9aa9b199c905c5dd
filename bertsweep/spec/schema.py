"""The JSON Schema of search space files, for editors: shorthands and all forms of `space`."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.spec.models import SweepFile
from bertsweep.spec.words import branches

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """A draft 2020-12 schema that accepts every file that is well formed.

    It knows keys, types, bounds and shorthands; what spans several keys only `load` can check.
    """
    return copy.deepcopy(_schema())


def schema_at(path: tuple[str | int, ...]) -> dict[str, Any] | None:
    """The part of the schema that speaks of a key path, references followed; None if unknown."""
    schema: dict[str, Any] | None = _schema()
    for part in path:
        if schema is None:
            return None
        schema = _below(schema, part)
    return schema


def keys(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Key → its schema, for a schema that takes a mapping; empty where any key will do."""
    for branch in branches(schema):
        if "properties" in branch:
            return {name: _resolved(part) for name, part in branch["properties"].items()}
    return {}


def parameter(name: str) -> dict[str, Any]:
    """The schema of one value of a hyperparameter."""
    return dict(_parameters()[name])


@lru_cache(maxsize=1)
def _parameters() -> dict[str, dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = Hyperparameters.model_json_schema()["properties"]
    return properties


def _below(schema: dict[str, Any], part: str | int) -> dict[str, Any] | None:
    if isinstance(part, str):
        return keys(schema).get(part) or _any_key(schema)
    for branch in branches(schema):
        if "items" in branch:
            return _resolved(branch["items"])
    return None


def _any_key(schema: dict[str, Any]) -> dict[str, Any] | None:
    """What a mapping with names of the user's own holds."""
    for branch in branches(schema):
        if isinstance(branch.get("additionalProperties"), dict):
            return _resolved(branch["additionalProperties"])
    return None


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with references replaced, one level of alternatives deep."""
    if len(schema.get("allOf", ())) == 1:  # how pydantic before 2.9 puts a title on a reference
        schema = {**schema["allOf"][0], **{k: v for k, v in schema.items() if k != "allOf"}}
    if "$ref" in schema:
        target = _schema()["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    if "anyOf" in schema:
        schema = {**schema, "anyOf": [_resolved(branch) for branch in schema["anyOf"]]}
    return schema


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = SweepFile.model_json_schema()
    sections = schema["$defs"]
    for name in ("Sampler", "Scheduler"):
        kinds = {"enum": sections[name]["properties"]["kind"]["enum"], "type": "string"}
        _allow(sections["Search"]["properties"][name.lower()], kinds)
    text = sections["Data"]["properties"]["text"]
    for column in reversed(text["items"]["anyOf"]):
        _allow(text, column)
    _allow(sections["Encoder"]["properties"]["mirrors"], {"type": "string", "minLength": 1})
    points = {
        "type": "object",
        "properties": {name: parameter(name) for name in Hyperparameters.model_fields},
        "additionalProperties": False,
    }
    encoder = schema["properties"]["encoder"]
    encoder["anyOf"] = encoder.pop("oneOf")
    del encoder["anyOf"][1]["minProperties"]  # an empty mapping lacks the keys of the first form
    one = {"anyOf": [{"$ref": "#/$defs/Encoder"}, {"type": "string", "minLength": 1}]}
    encoder["anyOf"].append({"type": "array", "items": one, "minItems": 1})
    sections["Point"] = {"description": "Parameter: value.", **points}
    sections["When"] = _when()
    for section, key in ((schema, "baseline"), (sections["Search"], "warm_start")):
        part = section["properties"][key]
        if key == "warm_start":
            part["items"] = {"$ref": "#/$defs/Point"}
        else:
            part.pop("additionalProperties", None)
            part.pop("type", None)
            part["$ref"] = "#/$defs/Point"
    space = schema["properties"]["space"]
    space["additionalProperties"] = False
    space["properties"] = {name: _entry(name) for name in Hyperparameters.model_fields}
    return {"$schema": DIALECT, **schema, "title": "bertsweep search space file"}


def _allow(part: dict[str, Any], shorthand: dict[str, Any]) -> None:
    """Lets a shorthand stand in place of what `part` asks for."""
    kept = {key: part.pop(key) for key in list(part) if key not in ("title", "default")}
    part["anyOf"] = [shorthand, *kept.get("anyOf", [kept])]


def _entry(name: str) -> dict[str, Any]:
    """What may stand behind a parameter in `space`: value, list, range, or one with `when`."""
    full = parameter(name)
    said: dict[str, Any] = {key: full.pop(key) for key in ("title", "default") if key in full}
    value, when = full, {"$ref": "#/$defs/When"}
    options = {"type": "array", "items": value, "minItems": 1, "uniqueItems": True}
    forms = [
        value,
        options,
        _mapping({"value": value, "when": when}, ["value", "when"]),
        _mapping({"choices": options, "when": when}, ["choices"]),
    ]
    numbers = [b for b in branches(value) if b.get("type") in ("integer", "number")]
    if numbers:
        ends = {"low": numbers[0], "high": numbers[0]}
        step = {"type": numbers[0]["type"], "exclusiveMinimum": 0}
        how = {"log": {"type": "boolean"}, "step": {"anyOf": [step, {"type": "null"}]}}
        forms.append(_mapping({**ends, **how, "when": when}, ["low", "high"]))
    return {**said, "anyOf": forms}


def _when() -> dict[str, Any]:
    scalar = {"type": ["string", "number", "boolean"]}
    either = {"anyOf": [scalar, {"type": "array", "items": scalar, "minItems": 1}]}
    names = dict.fromkeys(Hyperparameters.model_fields, either)
    text = "Active only where these parameters have these values."
    return {"description": text, **_mapping(names, [])}


def _mapping(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
