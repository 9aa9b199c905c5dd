"""Events as the lines of a file: JSON closed by a checksum that also covers the lines before it."""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from pydantic_core import from_json

from bertsweep.errors import LedgerError
from bertsweep.ledger.events import FORMAT, Event, SweepStarted, from_plain

_CLOSING = b',"crc":"%08x"}\n'
_LENGTH = len(_CLOSING % 0)


def encode(plain: Mapping[str, Any], *, chain: int = 0) -> tuple[bytes, int]:
    """The line that stands for `plain`, and its checksum, which the next line's goes on from.

    `chain` is the checksum of the line before it, 0 for the first. Numbers that are not finite
    must have been replaced.
    """
    body = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    checksum = zlib.crc32(body, chain)
    return body[:-1] + _CLOSING % checksum, checksum


class Reader:
    """Reads the events of a file, line by line; iterate over it.

    It leaves the file where the last whole line ends: a torn one is no event. `chain` is then the
    checksum that a next line goes on from, and `count` the number of lines.

    The checksum of each line covers the line and the checksum before it, so that a line that is
    missing, doubled, moved or of another sweep is found like one that was changed. (In files of
    format 1 it covers the line alone; there the numbers of the events tell the same.)
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        """`path` is what messages call the file."""
        self._file, self._path = file, path
        self.chain = 0
        self.count = 0
        self.chained = True

    def __iter__(self) -> Iterator[Event]:
        """Raises `LedgerError` naming the first line that is damaged."""
        self._file.seek(0)
        for line in self._file:
            if line[-1:] != b"\n":
                self._file.seek(-len(line), os.SEEK_CUR)
                return
            event = self._event(line)
            self.count += 1
            yield event

    def _event(self, line: bytes) -> Event:
        body = line[:-_LENGTH] + b"}"
        checksum = zlib.crc32(body, self.chain)
        if line[-_LENGTH:] != _CLOSING % checksum:
            raise self._mismatch(body)
        try:
            # Takes a quarter of the standard library's time.
            event = from_plain(from_json(body, cache_strings="keys"))
        except ValueError as error:
            raise self._damaged(f"it is no JSON ({error})") from error
        except LedgerError as error:
            raise self._damaged(str(error)) from error
        if event.seq != self.count:
            raise self._misplaced(event.seq)
        if type(event) is SweepStarted:
            self._begin(event)
        self.chain = checksum if self.chained else 0
        return event

    def _begin(self, event: SweepStarted) -> None:
        if self.count:
            raise self._damaged(f"another sweep, {event.name!r}, begins here")
        if event.format > FORMAT:
            raise LedgerError(
                f"{self._path} has format {event.format}, but this version of bertsweep reads up "
                f"to {FORMAT}. Use the version that wrote it, or a newer one."
            )
        self.chained = event.format >= 2

    def _mismatch(self, body: bytes) -> LedgerError:
        """The error for a line whose checksum is wrong: its number tells whether it was moved."""
        try:
            number = from_json(body).get("seq")
        except (ValueError, AttributeError):
            number = None
        if isinstance(number, int) and number != self.count:
            return self._misplaced(number)
        return self._damaged(
            "the checksum does not match: the line was changed, or is of another sweep"
        )

    def _misplaced(self, number: int) -> LedgerError:
        return self._damaged(
            f"event {number} stands where event {self.count} must: lines are missing, doubled or "
            "in another order"
        )

    def _damaged(self, what: str) -> LedgerError:
        return LedgerError(
            f"{self._path}, line {self.count + 1}: {what}. "
            "Restore the file from a copy, or cut it off before this line."
        )


def finite(value: Any) -> Any:
    """`value` with every number that JSON cannot hold replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
