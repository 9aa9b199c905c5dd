"""Decodes text files in a stated encoding, or recognises it.

If `data.table.encoding` is auto, a byte-order mark decides (UTF-8, UTF-16, UTF-32); without one the
file is read as UTF-8. A file with invalid UTF-8 is read as Windows-1252, with a note, if all of
this holds: every byte is defined in Windows-1252; characters outside ASCII are fewer than half the
number of ASCII letters, as in western European languages; and valid UTF-8 sequences outside ASCII
are fewer than a tenth of the invalid bytes, since a damaged UTF-8 file has many of them. Otherwise
it is an error that names the first invalid byte.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from bertsweep.data.dataset import Note
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.errors import DataError

Result = TypeVar("Result")
Reader = Callable[[io.TextIOWrapper, Unpacked], Result]

AUTO = "auto"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 256
_PIECE = 1 << 20
_REMEDY = "Set data.table.encoding to the encoding it has, such as latin-1 or cp1251."


class TextFile:
    """A text file, possibly packed, whose encoding is settled when it is first read.

    `notes` name the encoding that was recognised; empty for UTF-8 and for a stated encoding.
    """

    def __init__(self, file: PackedFile, encoding: str) -> None:
        self.file = file
        self.notes: list[Note] = []
        self._encoding = encoding

    def read(self, reader: Reader[Result], *, newline: str = "") -> Result:
        """Returns the result of `reader` on the decoded text.

        `reader` receives the text and the open file. It is called a second time, from the
        beginning, if the first call met invalid UTF-8. `newline` is as in `open`. Raises
        `DataError` if the bytes cannot be decoded.
        """
        try:
            return self._decoded(reader, newline)
        except UnicodeError as error:
            if self._encoding != AUTO:
                raise _undecodable(self.file, self._encoding, error) from error
        self._encoding = self._western()
        return self.read(reader, newline=newline)

    @contextmanager
    def once(self, *, newline: str = "") -> Iterator[tuple[NumberedLines, Unpacked]]:
        """Opens the text for a pass that keeps nothing, after `read` has settled the encoding.

        What comes through a pipe can be opened so only once. Raises `DataError` with the line for
        bytes of a pipe that cannot be decoded.
        """
        with self.file.once() as opened, self._text(opened, newline) as text:
            lines = NumberedLines(text)
            try:
                yield lines, opened
            except UnicodeDecodeError as error:
                line = lines.number + error.object[: error.start].count(b"\n") + 1
                raise DataError(
                    f"{self.file.shown}, line {line:,}: the text is not {text.encoding} "
                    f"({error.reason}). {_REMEDY}"
                ) from error

    def _decoded(self, reader: Reader[Result], newline: str) -> Result:
        with self.file.open() as opened, self._text(opened, newline) as text:
            return reader(text, opened)

    @contextmanager
    def _text(self, opened: Unpacked, newline: str) -> Iterator[io.TextIOWrapper]:
        head = opened.stream.peek(_HEAD)[:_HEAD]
        marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
        encoding = self._encoding
        if encoding == AUTO:
            encoding = self._recognised(head, marked)
        elif marked and codecs.lookup(encoding).name.startswith(marked.removesuffix("-sig")):
            encoding = marked  # otherwise the mark would belong to the first column
        text = io.TextIOWrapper(opened.stream, encoding=encoding, newline=newline)
        try:
            yield text
        finally:
            text.detach()

    def _recognised(self, head: bytes, marked: str | None) -> str:
        """Returns the encoding that the first bytes imply, UTF-8 by default."""
        if marked is not None:
            if marked != "utf-8-sig":
                self._encoding = marked
                self._note(f"read as {marked.upper()}, as its byte-order mark says")
            return marked
        # ASCII text in UTF-16 is valid UTF-8, with a NUL next to every letter.
        for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if head[first::2].count(0) > len(head) / 4:
                raise DataError(
                    f"text must be UTF-8 or have a byte-order mark, but {self.file.shown} looks "
                    f"like {encoding.upper()} without one (every other byte is 0). "
                    f"If so, set data.table.encoding: {encoding}"
                )
        return "utf-8"

    def _western(self) -> str:
        """Returns Windows-1252 if the bytes are plausible in it; otherwise raises `DataError`."""
        scan = _scan(self.file)
        said = (
            f"text must be UTF-8, but {self.file.shown} holds the byte 0x{scan.byte:02x} at "
            f"position {scan.position:,}, line {scan.line:,}"
        )
        if scan.cut_off:
            raise DataError(
                f"{said}, in the middle of a character: the file seems to be cut off. "
                f"Write or download it again, or set data.table.encoding."
            )
        if 10 * scan.valid >= scan.invalid:
            raise DataError(
                f"{said}, among {scan.valid:,} other characters that are: it seems to be damaged. "
                f"Correct {scan.invalid:,} such bytes, or set data.table.encoding."
            )
        if scan.undefined or 2 * scan.invalid >= scan.letters:
            raise DataError(f"{said}, and it is no Windows-1252 text either. {_REMEDY}")
        self._note(
            f"read as Windows-1252, since it is not UTF-8 (byte 0x{scan.byte:02x} at position "
            f"{scan.position:,}, line {scan.line:,}); if that is wrong, set data.table.encoding",
            scan.invalid,
        )
        return "cp1252"

    def _note(self, said: str, count: int = 1) -> None:
        self.notes.append(Note("encoding", count, f"{self.file.shown}: {said}."))


class NumberedLines:
    """Lines of a text, of which `number` were read."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.number = 0

    def __iter__(self) -> NumberedLines:
        return self

    def __next__(self) -> str:
        line = next(self._text)
        self.number += 1
        return line

    def read(self, size: int) -> str:
        """Returns up to `size` characters of what follows."""
        return self._text.read(size)


@dataclass(frozen=True)
class _Scan:
    """Counts over a file with invalid UTF-8.

    `byte`, `position` (from 0) and `line` (from 1) describe the first invalid byte. `valid` is the
    number of valid characters outside ASCII, `invalid` that of invalid bytes, `undefined` that of
    invalid bytes without a character in Windows-1252, `letters` that of ASCII letters. `cut_off` is
    True if the only fault is an incomplete character at the end.
    """

    byte: int
    position: int
    line: int
    valid: int
    invalid: int
    undefined: int
    letters: int
    cut_off: bool


def _scan(file: PackedFile) -> _Scan:
    """Scans the whole file: readers decode ahead and do not know the position of a fault."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    position = lines = valid = invalid = undefined = letters = 0
    first: tuple[int, int, int] | None = None
    tail = ""
    with file.open() as opened:
        while piece := opened.stream.read(_PIECE):
            text = decoder.decode(piece)
            if first is None and (fault := _INVALID.search(text)):
                first = _place(text, fault.start(), position, lines)
            wrong = len(_INVALID.findall(text))
            invalid += wrong
            valid += len(_OUTSIDE_ASCII.findall(text)) - wrong
            undefined += len(_UNDEFINED.findall(text))
            letters += len(_LETTERS.findall(text))
            if first is None:
                position += len(text.encode("utf-8", "surrogateescape"))
                lines += text.count("\n")
        tail = decoder.decode(b"", final=True)
    cut_off = bool(tail) and first is None
    if first is None:
        if not tail:
            raise DataError(f"{file.shown} changed while it was read. Run the command again.")
        first = _place(tail, 0, position, lines)
    return _Scan(*first, valid, invalid + len(tail), undefined, letters, cut_off)


_INVALID = re.compile("[\udc80-\udcff]")
_UNDEFINED = re.compile("[\udc81\udc8d\udc8f\udc90\udc9d]")
_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7f]")
_LETTERS = re.compile("[A-Za-z]")


def _place(text: str, start: int, position: int, lines: int) -> tuple[int, int, int]:
    """Returns byte, position and line of a fault at `start` of a piece from `position` on."""
    before = text[:start]
    return (
        ord(text[start]) - 0xDC00,
        position + len(before.encode("utf-8", "surrogateescape")),
        lines + before.count("\n") + 1,
    )


def _undecodable(file: PackedFile, encoding: str, error: UnicodeError) -> DataError:
    """Returns the error for bytes that the stated encoding cannot decode, with their line."""
    line = 1
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with file.open() as opened:
            while piece := opened.stream.read(_HEAD):
                line += decoder.decode(piece).count("\n")
    except UnicodeError as found:
        error = found
        if isinstance(found, UnicodeDecodeError):
            read = found.object[: found.start]
            line += codecs.decode(bytes(read), encoding, "ignore").count("\n")
    why = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
    return DataError(
        f"{file.shown}, line {line:,}: the text is not {encoding} ({why}), which "
        "data.table.encoding or its byte-order mark says. Set data.table.encoding to the encoding "
        "it has, or correct the file."
    )
