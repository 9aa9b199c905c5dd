"""Quoting and escaping that Python's csv module does not cover."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

_DOUBLED = re.compile(r'"(?:[^"]|"")*"', re.DOTALL)
_PAIR = re.compile('(")"')
_ESCAPED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')


def unquoted(values: Sequence[list[str]], *, escapes: bool) -> tuple[list[list[str]], bool]:
    """Returns the columns without quotes around fields, and whether quotes were escaped.

    Quotes are removed from a column if every field that begins with one is quoted entirely, with
    quotes inside doubled or, with `escapes`, preceded by a backslash.
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


class ColumnQuotes:
    """How the fields of one column that begin with a quote are quoted, seen one by one.

    It comes to what `unquoted` comes to for the column as a whole.
    """

    def __init__(self) -> None:
        self._any = False
        self._doubled = self._escaped = True

    def see(self, value: str) -> None:
        if value.startswith('"'):
            self._any = True
            self._doubled = self._doubled and _DOUBLED.fullmatch(value) is not None
            self._escaped = self._escaped and _ESCAPED.fullmatch(value) is not None

    def escaped(self, *, escapes: bool) -> bool:
        """Whether every quoted field is quoted entirely, and one only with escaped quotes."""
        return escapes and self._any and self._escaped and not self._doubled

    def strip(self, *, escapes: bool) -> Callable[[str], str] | None:
        """Returns what removes the quotes around a field, None where they are part of the text."""
        if self._any and self._doubled:
            return partial(_off, inner=_PAIR)
        return partial(_off, inner=_ESCAPE) if self.escaped(escapes=escapes) else None


def escaping_only_marks(lines: Iterable[str], escape: str, marks: Sequence[str]) -> Iterator[str]:
    """Yields the lines with every escape character doubled that does not precede a mark.

    The csv module would remove such a character; a doubled one stays as a single character.
    """
    mark = re.escape(escape)
    pattern = re.compile(f"{mark}([{re.escape(''.join(marks))}])|{mark}")

    def kept(match: re.Match[str]) -> str:
        return match[0] if match[1] is not None else escape * 2

    for line in lines:
        yield pattern.sub(kept, line) if escape in line else line


def _off(value: str, inner: re.Pattern[str]) -> str:
    """Returns a field without its quotes; group 1 of `inner` replaces every match inside."""
    return inner.sub(r"\1", value[1:-1]) if value.startswith('"') else value
