"""YAML text → plain values with the line of each, and every fault of the text as a `Problem`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bertsweep.errors import Problem
from bertsweep.spec.syntax import explain

KeyPath = tuple[str | int, ...]

_MOST_CHARACTERS = 1_000_000
_MOST_NODES = 20_000
_DEEPEST = 100
_LARGEST = 2**63 - 1
_TOO_DEEP = f"brackets and indentation must be at most {_DEEPEST} deep, but got more"
_CORE = "tag:yaml.org,2002:"
_TEXT = {"str", "timestamp", "value", "merge"}


@dataclass(frozen=True)
class Document:
    """The plain value of a YAML text and the line of every key path in it.

    A path whose line is None was set from outside the text (`--set`).
    """

    plain: Any
    lines: Mapping[KeyPath, int | None] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """The line of a key path, or of the nearest section above it that stands in the text."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


def read(text: str) -> tuple[Document, list[Problem]]:
    """The document in `text` with all that is wrong with it; plain is None when it cannot be read.

    Only YAML's core types are built, so nothing in the text can run code, and aliases cannot make
    it larger than the longest file a person would write.
    """
    if len(text) > _MOST_CHARACTERS:
        rule = f"a file holds at most {_MOST_CHARACTERS} characters, but got {len(text)}"
        return Document(None), [Problem((), None, rule, "Point at a search space file.")]
    if _brackets(text) > _DEEPEST:  # ruamel takes time by the cube of the depth
        return Document(None), [Problem((), None, _TOO_DEEP, "Write the values out plainly.")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            node = YAML(typ="safe", pure=True).compose(text)
    except (MarkedYAMLError, YAMLError) as error:
        return Document(None), [explain(error, text)]
    except RecursionError:
        return Document(None), [Problem((), None, _TOO_DEEP, "Write the values out plainly.")]
    if node is None:
        return Document(None, {(): 1}), []
    reader = _Reader()
    plain = reader.value(node, ())
    if reader.nodes > _MOST_NODES:
        rule = f"a file holds at most {_MOST_NODES} values, aliases written out, but got more"
        return Document(None), [Problem((), None, rule, "Write the values out without aliases.")]
    return Document(plain, reader.lines), reader.problems


class _Reader:
    """Builds plain values from YAML nodes; gathers lines and problems on the way."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int | None] = {}
        self.problems: list[Problem] = []
        self._open: list[int] = []
        self.nodes = 0

    def value(self, node: Node, path: KeyPath) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            return None
        if len(self._open) > _DEEPEST:
            self._add(path[:1], _TOO_DEEP, "Write the values out plainly.")
            return None
        if id(node) in self._open:
            self._add(path, "an alias must not stand inside its own anchor", "Write the value out.")
            return None
        self._open.append(id(node))
        try:
            return self._built(node, path)
        finally:
            self._open.pop()

    def _built(self, node: Node, path: KeyPath) -> Any:
        tag = str(node.tag)
        if isinstance(node, MappingNode) and tag == _CORE + "map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and tag == _CORE + "seq":
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, ScalarNode) and tag.startswith(_CORE):
            return self._scalar(tag.removeprefix(_CORE), str(node.value), path)
        self._add(
            path, f"a value must be plain YAML, but got the tag {_short(tag)}", "Leave the tag out."
        )
        return None

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                rule = "a key must be a word, but got a list or mapping"
                self.problems.append(Problem(path, line, rule, "Type `key: value`."))
                continue
            key = str(key_node.value)
            where = (*path, key)
            if key in plain:
                rule = f"a key may stand once in a mapping, but `{key}` stands in line "
                rule += f"{self.lines[where]} too"
                self.problems.append(Problem(where, line, rule, "Keep one of the two."))
                continue
            self.lines[where] = line
            plain[key] = self.value(value_node, where)
        return plain

    def _scalar(self, kind: str, text: str, path: KeyPath) -> Any:
        if kind in _TEXT:
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in ("true", "yes", "on", "y")
        try:
            if kind == "int":
                return _whole(text)
            if kind == "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            rule = f"a number must be legible and have at most 64 bits, but got {text[:40]}"
            self._add(path, rule, "Type it as in 20, 0.1 or 2e-5.")
            return None
        self._add(path, f"a value must be plain YAML, but got the tag !!{kind}", "Leave it out.")
        return None

    def _add(self, path: KeyPath, rule: str, remedy: str) -> None:
        self.problems.append(Problem(path, self.lines.get(path, 1), rule, remedy))


def _brackets(text: str) -> int:
    """How deep brackets are open at most, quotes and comments not told apart."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _whole(text: str) -> int:
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = {"0o": 8, "0x": 16, "0b": 2}.get(digits[:2], 10)
    whole = sign * int(digits if base == 10 else digits[2:], base)
    if abs(whole) > _LARGEST:
        raise ValueError(f"a whole number must have at most 64 bits, but got {text}")
    return whole


def _short(tag: str) -> str:
    return f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag
