"""Events as the lines of a file: JSON closed by a checksum that also covers the lines before it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder, Encoder
from msgspec.json import decode as json_decode

from bertsweep.errors import LedgerError
from bertsweep.ledger.events import FORMAT, KINDS, Event, SweepStarted, Written

_CLOSING = b',"crc":"%08x"}\n'
_LENGTH = len(_CLOSING % 0)
_ENCODER = Encoder()
_DECODER: Decoder[Written] = Decoder(Written)


def encode(event: Event, *, chain: int = 0) -> tuple[bytes, int]:
    """The line that stands for an event, and its checksum, which the next line's goes on from.

    `chain` is the checksum of the line before it, 0 for the first. Numbers that are not finite are
    written as null.
    """
    return close(_ENCODER.encode(event), chain=chain)


def close(body: bytes, *, chain: int = 0) -> tuple[bytes, int]:
    """A JSON object as a line of the file, and its checksum."""
    checksum = zlib.crc32(body, chain)
    return body[:-1] + _CLOSING % checksum, checksum


def decode(body: bytes) -> Event:
    """The event in a JSON object or a line; fields of a later version are left out.

    Raises `LedgerError` for what is no JSON, a kind that is not known, and a field that is missing
    or of another type.
    """
    try:
        return _DECODER.decode(body)
    except ValidationError as error:
        kind = _raw(body).get("event")
        if kind not in KINDS:
            raise LedgerError(f"no event is called {kind!r}") from error
        raise LedgerError(f"{kind} is not as it must be ({error})") from error
    except DecodeError as error:
        raise LedgerError(f"it is no JSON ({error})") from error


def _raw(body: bytes) -> dict[str, Any]:
    try:
        raw = json_decode(body)
    except DecodeError:
        return {}
    return raw if isinstance(raw, dict) else {}


class Reader:
    """Reads the events of a file, line by line; iterate over it, and again for what came since.

    It leaves the file where the last whole line ends: a torn one is no event. `chain` is then the
    checksum that a next line goes on from, and `count` the number of lines.

    The checksum of each line covers the line and the checksum before it, so that a line that is
    missing, doubled, moved or of another sweep is found like one that was changed. (In files of
    format 1 it covers the line alone; there the numbers of the events tell the same.)
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        """Begins at the start of the file; `path` is what messages call it."""
        file.seek(0)
        self._file, self._path = file, path
        self.chain = 0
        self.count = 0
        self.chained = True

    def __iter__(self) -> Iterator[Event]:
        """Raises `LedgerError` naming the first line that is damaged."""
        crc32, read_event, count, chain = zlib.crc32, decode, self.count, self.chain
        for line in self._file:
            if line[-1:] != b"\n":
                self._file.seek(-len(line), os.SEEK_CUR)
                return
            body = line[:-_LENGTH] + b"}"
            checksum = crc32(body, chain)
            if line[-_LENGTH:] != _CLOSING % checksum:
                raise self._mismatch(body)
            try:
                event = read_event(body)
            except LedgerError as error:
                raise self._damaged(str(error)) from error
            if event.seq != count or type(event) is SweepStarted:
                self._check_place(event)
            if self.chained:
                self.chain = chain = checksum
            self.count = count = count + 1
            yield event

    def _check_place(self, event: Event) -> None:
        """Raises `LedgerError` unless the event may stand in this line."""
        if event.seq != self.count:
            raise self._misplaced(event.seq)
        if not isinstance(event, SweepStarted):
            return
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
        number = _raw(body).get("seq")
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
