"""The items of a JSON array, decoded one by one, so that the whole need not fit into memory."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

from bertsweep.errors import DataError

_PIECE = 1 << 20
_LONGEST_TOKEN = 12
"""Characters of a token that cannot be read in part: \\ud83d\\ude00, false, -Infinity."""
_BLANK = re.compile(r"[ \t\r\n]*")


def array_items(
    begun: str, text: io.TextIOWrapper, line: int, shown: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an array that begins in `begun`, which was read from `text` already.

    `begun` begins at line `line`; each object comes with the line in which it begins. Raises
    `DataError` for an item that is no object and for what is no JSON.
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
    """The part of the text that is not decoded yet, and where it begins."""

    def __init__(self, begun: str, text: io.TextIOWrapper, line: int, shown: str) -> None:
        self._buffer = begun
        self._text = text
        self._line = line
        self._shown = shown
        self._place = 0
        self._counted = 0
        self._decode = json.JSONDecoder().raw_decode

    def line(self) -> int:
        """The line of the next character that is not white space."""
        self.upcoming()
        self._line += self._buffer.count("\n", self._counted, self._place)
        self._counted = self._place
        return self._line

    def upcoming(self) -> str:
        """The next character that is not white space, "" at the end of the file."""
        while True:
            self._place = _BLANK.match(self._buffer, self._place).end()  # type: ignore[union-attr]
            if self._place < len(self._buffer):
                return self._buffer[self._place]
            if not self._fill(_PIECE):
                return ""

    def pass_over(self, character: str) -> None:
        """Goes on behind `character`, which must be the next one."""
        if self.upcoming() != character:
            raise self.fault(
                f"{character!r} must stand here", "Close what is open, or write the file again."
            )
        self._place += 1

    def item(self) -> dict[str, Any]:
        """The next item, which must be an object; reads on until it is whole."""
        if self.upcoming() != "{":
            raise self.fault("each item of the array must be one JSON object", "Write objects.")
        size = _PIECE
        while True:
            try:
                item, self._place = self._decode(self._buffer, self._place)
            except json.JSONDecodeError as error:
                # Twice as much each time, so that a long object takes linear time.
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
        """Whether more text may mend an object: its fault is that the buffer ends."""
        at_the_end = error.pos >= len(self._buffer) - _LONGEST_TOKEN
        return at_the_end or error.msg.startswith("Unterminated string")

    def fault(self, rule: str, remedy: str) -> DataError:
        return DataError(f"{self._shown}, line {self.line():,}: {rule}. {remedy}")

    def _fill(self, size: int) -> bool:
        """Reads `size` more characters, if there are any, and forgets what is decoded."""
        more = self._text.read(size)
        self._line += self._buffer.count("\n", self._counted, self._place)
        self._buffer = self._buffer[self._place :] + more
        self._place = self._counted = 0
        return bool(more)
