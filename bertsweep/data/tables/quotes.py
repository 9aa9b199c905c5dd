"""Quotes that Python's csv module does not read as they are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

_DOUBLED = re.compile(r'"(?:[^"]|"")*"', re.DOTALL)
_PAIR = re.compile('(")"')
_ESCAPED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')


def unquoted(values: Sequence[list[str]], *, escapes: bool) -> tuple[list[list[str]], bool]:
    """Columns without the quotes around their fields, and whether quotes in them were escaped.

    The quotes of a column are taken off where every field that begins with one is quoted as a
    whole, quotes inside being doubled or, with `escapes`, having a backslash before them.
    """
    columns, escaped = [], False
    for column in values:
        quoted = [value for value in column if value.startswith('"')]
        if not quoted:
            columns.append(column)
        elif all(map(_DOUBLED.fullmatch, quoted)):
            columns.append([_off(value, _PAIR) for value in column])
        elif escapes and all(map(_ESCAPED.fullmatch, quoted)):
            columns.append([_off(value, _ESCAPE) for value in column])
            escaped = True
        else:
            columns.append(column)
    return columns, escaped


def escaping_only_marks(lines: Iterable[str], escape: str, marks: Sequence[str]) -> Iterator[str]:
    """The lines with every escape character doubled that stands before none of the `marks`.

    The csv module drops such a character, whatever follows it; doubled it stays.
    """
    mark = re.escape(escape)
    pattern = re.compile(f"{mark}([{re.escape(''.join(marks))}])|{mark}")

    def kept(match: re.Match[str]) -> str:
        return match[0] if match[1] is not None else escape * 2

    for line in lines:
        yield pattern.sub(kept, line) if escape in line else line


def _off(value: str, inner: re.Pattern[str]) -> str:
    """A field without the quotes around it, a quote inside being the group of `inner`."""
    return inner.sub(r"\1", value[1:-1]) if value.startswith('"') else value
