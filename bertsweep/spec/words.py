"""How values, types and bounds are put into words; what a JSON Schema asks for, in English."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

Schema = Mapping[str, Any]

_LOWER = (("exclusiveMinimum", "<", "above"), ("minimum", "<=", "of at least"))
_UPPER = (("exclusiveMaximum", "<", "below"), ("maximum", "<=", "at most"))
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_SYNONYMS = {
    "lr": "learning_rate",
    "wd": "weight_decay",
    "bs": "batch_size",
    "max_len": "max_seq_length",
    "seq_len": "max_seq_length",
    "min": "low",
    "max": "high",
    "options": "choices",
    "values": "choices",
    "if": "when",
    "condition": "when",
    "file": "source",
    "path": "source",
    "url": "source",
    "n_trials": "trials",
    "num_samples": "trials",
    "direction": "mode",
    "off": "disabled",
}
"""What other tools call the keys of this one."""


def show(value: Any) -> str:
    """A value as the user would write it, with its type where that is not plain to see."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value if len(value) < 60 else value[:57] + '...'!r}"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, Mapping):
        return f"a mapping with {quoted(value)}" if value else "an empty mapping"
    return f"{value}"


def quoted(names: Iterable[Any]) -> str:
    """The names in backquotes, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def nearest(name: str, valid: Iterable[str]) -> list[str]:
    """The valid names closest to a misspelt one, best first, at most three."""
    names = list(valid)
    if (known := _SYNONYMS.get(name.lower())) in names:
        return [str(known)]
    turned = [other for other in names if sorted(other) == sorted(name.lower())]
    if turned:  # letters in another order: lable is label rather than table
        return turned[:1]
    found = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.6)
    return found or [other for other in names if name and other.startswith(name.lower())][:1]


def unknown(name: str, valid: Iterable[str], where: str) -> tuple[str, str, list[str]]:
    """Rule and remedy for a key that does not exist, and the names that may have been meant."""
    names = list(valid)
    rule = f"every key of {where} must be a known one, but got `{name}`"
    close = nearest(name, names)
    if close:
        return rule, f"Did you mean {' or '.join(quoted([other]) for other in close)}?", close
    return rule, f"Valid keys: {quoted(names)}.", []


def branches(schema: Schema) -> list[Schema]:
    """The alternatives of a schema, null left out."""
    return [b for b in schema.get("anyOf", [schema]) if b.get("type") != "null"]


def describe(schema: Schema) -> str:
    """What the schema asks for: "a whole number of at least 1, or `rest`"."""
    parts = list(dict.fromkeys(_one(branch) for branch in branches(schema)))
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1]


def allowed(schema: Schema) -> list[Any]:
    """Every value that the schema lists by name; empty where it lists none."""
    values: list[Any] = []
    for branch in branches(schema):
        values += branch.get("enum", [branch["const"]] if "const" in branch else [])
    return values


def broken(name: str, schema: Schema, value: Any) -> str:
    """The rule of `schema` that `value` breaks, then the value got."""
    options = branches(schema)
    if len(options) == 1 and _matches(options[0], value):
        lower = "".join(
            f"{_bound(options[0], key)} {sign} " for key, sign, _ in _LOWER if key in options[0]
        )
        upper = "".join(
            f" {sign} {_bound(options[0], key)}" for key, sign, _ in _UPPER if key in options[0]
        )
        return f"`{lower}{name}{upper}` must hold, but got {value}"
    return f"`{name}` must be {describe(schema)}, but got {show(value)}"


def remedy(schema: Schema, value: Any, *, default: Any = None, example: Any = None) -> str:
    """What to type in place of `value`."""
    kinds = {branch.get("type") for branch in branches(schema)}
    if isinstance(value, str):
        close = nearest(value, [str(option) for option in allowed(schema)])
        if close:
            return f"Did you mean `{close[0]}`?"
        if kinds & {"number", "integer"} and _is_number(value):
            return f"Type {value.strip()} without quotes."
        if "boolean" in kinds:
            return "Type true or false."
    elif isinstance(value, float) and value.is_integer() and "integer" in kinds and value >= 1:
        return f"Type {value:.0f}."
    elif kinds == {"string"} and isinstance(value, (int, float)):
        return f'Type "{show(value)}", in quotes.'
    if (listed := allowed(schema)) and all("enum" in b or "const" in b for b in branches(schema)):
        return f"Type {' or '.join(quoted([option]) for option in listed)}."
    if default is not None and not isinstance(default, (Mapping, list, tuple)):
        return f"Type for example `{default}`, the default."
    if example is not None:
        return f"Type for example `{inline(example)}`."
    return f"Type {describe(schema)}."


def inline(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {inline(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(inline(part) for part in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one(schema: Schema) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return "one of " + quoted(schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        size = f" of {least} to {most}" if most else " of one or more" if least else ""
        return f"a list{size}"
    if "pattern" in schema:
        return "letters, digits, dots, dashes and underscores, the first a letter or digit"
    if schema.get("minProperties"):
        return "a mapping with at least one key"
    if schema.get("maxLength") == 1:
        return "a single character"
    name = "non-empty text" if schema.get("minLength") else _TYPES.get(str(kind), "a mapping")
    bounds = " and ".join(
        f"{word} {_bound(schema, key)}" for key, _, word in (*_LOWER, *_UPPER) if key in schema
    )
    return f"{name} {bounds}".rstrip()


def _bound(schema: Schema, key: str) -> str:
    bound = schema[key]
    return f"{bound:.0f}" if float(bound).is_integer() else f"{bound}"


def _matches(schema: Schema, value: Any) -> bool:
    if isinstance(value, bool):
        return schema.get("type") == "boolean"
    kinds = {int: ("integer", "number"), float: ("number",)}.get(type(value), ())
    return schema.get("type") in kinds


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
