"""What is wrong with a text that is not YAML, in words of someone who writes such files."""

from __future__ import annotations

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from bertsweep.errors import Problem

_QUOTE = "Put the text in quotes."
_EXPLAINED: tuple[tuple[str, str, str], ...] = (
    (
        "character '\\t'",
        "lines must be indented by blanks, but got a tab",
        "Replace the tab by blanks.",
    ),
    (
        "mapping values are not allowed",
        "a line holds one `key: value`, with the keys of a section lined up, but got another `: `",
        'Line the key up with those around it, or put a text that contains ": " in quotes.',
    ),
    (
        "unexpected end of stream",
        "a quotation mark must be closed, but the file ends before it is",
        "Close it.",
    ),
    ("got '<stream end>'", "a bracket must be closed, but the file ends before it is", "Close it."),
    (
        "expected ',' or",
        "the items between brackets must be separated by commas and the bracket closed",
        "Add the missing comma or bracket.",
    ),
    ("cannot start any token", "a text must not begin with one of @ ` % unless quoted", _QUOTE),
    (
        "undefined alias",
        "a text that begins with * is an alias and needs an anchor above it",
        "Put the text in quotes, or define the anchor (&).",
    ),
    (
        "another document",
        "a file holds one document, but got a second one after `---`",
        "Put it into a file of its own.",
    ),
    (
        "could not find expected ':'",
        "every line of a section must be `key: value`, but got one without a colon",
        "Add the colon, or indent a text that goes on from the line above.",
    ),
    (
        "expected <block end>",
        "the keys of a section must be lined up, but got another indentation",
        "Line the key up with those around it.",
    ),
)


def explain(error: YAMLError, text: str) -> Problem:
    """The problem behind ruamel's complaint about `text`, with its line."""
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        rule = f"a file holds printable characters, but got {_character(error)!r}"
        return Problem((), line, rule, "Delete it, and save the file as UTF-8.")
    if not isinstance(error, MarkedYAMLError):
        return Problem((), None, f"the file must be YAML, but {error}", "Correct it.")
    mark = error.problem_mark or error.context_mark
    at = mark.line + 1 if mark is not None else None
    said = f"{error.problem or ''}"
    for fragment, rule, remedy in _EXPLAINED:
        if fragment in said:
            if "closed" in rule and error.context_mark is not None:
                at = error.context_mark.line + 1
            return Problem((), at, rule, remedy)
    context = f" ({error.context})" if error.context else ""
    return Problem((), at, f"the file must be YAML, but {said}{context}", "Correct that line.")


def _character(error: ReaderError) -> str:
    return chr(error.character) if isinstance(error.character, int) else str(error.character)
