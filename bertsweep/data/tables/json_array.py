"""Decodes the items of a JSON array one by one, in bounded memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

from bertsweep.errors import DataError

_PIECE = 1 << 20
_LONGEST_TOKEN = 12
"""Length of the longest token that cannot be decoded in part, such as \\ud83d\\ude00."""
_BLANK = re.compile(r"[ \t\r\n]*")


class Pieces(Protocol):
    """A text that is read piece by piece."""

    def read(self, size: int, /) -> str: ...


def array_items(
    begun: str, text: Pieces, line: int, shown: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the objects of an array, each with the line in which it begins.

    `begun` is the beginning of the array, at line `line`, which was already read from `text`.
    Raises `DataError` for an item that is not an object and for invalid JSON.
    """
    array = _Array(begun, text, line, shown)
    array.pass_over("[")
    if array.upcoming() != "]":
        while True:
            yield array.line(), array.item()
            if array.upcoming() != ",":
                break
            array.pass_over(",")
    array.pass_over("]")
    if array.upcoming():
        raise array.fault("nothing may follow the array", "Write all objects in one array.")


class _Array:
    """A buffer of text that is not decoded yet, refilled on demand."""

    def __init__(self, begun: str, text: Pieces, line: int, shown: str) -> None:
        self._buffer = begun
        self._text = text
        self._line = line
        self._shown = shown
        self._place = 0
        self._counted = 0
        self._decode = json.JSONDecoder().raw_decode

    def line(self) -> int:
        """Returns the line of the next character that is not white space."""
        self.upcoming()
        self._line += self._buffer.count("\n", self._counted, self._place)
        self._counted = self._place
        return self._line

    def upcoming(self) -> str:
        """Returns the next character that is not white space, "" at the end of the file."""
        while True:
            self._place = _BLANK.match(self._buffer, self._place).end()  # type: ignore[union-attr]
            if self._place < len(self._buffer):
                return self._buffer[self._place]
            if not self._fill(_PIECE):
                return ""

    def pass_over(self, character: str) -> None:
        """Consumes `character`, which must be the next one."""
        if self.upcoming() != character:
            raise self.fault(
                f"{character!r} must stand here", "Close what is open, or write the file again."
            )
        self._place += 1

    def item(self) -> dict[str, Any]:
        """Consumes and returns the next item, which must be an object."""
        if self.upcoming() != "{":
            raise self.fault("each item of the array must be one JSON object", "Write objects.")
        size = _PIECE
        while True:
            try:
                item, self._place = self._decode(self._buffer, self._place)
            except json.JSONDecodeError as error:
                # Doubling the size keeps the time for a long object linear.
                if self._cut_off(error) and self._fill(size):
                    size *= 2
                    continue
                self._place = error.pos
                raise self.fault(f"not JSON ({error.msg})", "Correct it there.") from error
            except RecursionError as error:
                raise self.fault("not JSON (nested too deep)", "Correct it there.") from error
            result: dict[str, Any] = item
            return result

    def _cut_off(self, error: json.JSONDecodeError) -> bool:
        """Whether an object failed to decode because the buffer ends within it."""
        at_the_end = error.pos >= len(self._buffer) - _LONGEST_TOKEN
        return at_the_end or error.msg.startswith("Unterminated string")

    def fault(self, rule: str, remedy: str) -> DataError:
        return DataError(f"{self._shown}, line {self.line():,}: {rule}. {remedy}")

    def _fill(self, size: int) -> bool:
        """Drops decoded text and reads up to `size` characters; False at the end of the file."""
        more = self._text.read(size)
        self._line += self._buffer.count("\n", self._counted, self._place)
        self._buffer = self._buffer[self._place :] + more
        self._place = self._counted = 0
        return bool(more)
