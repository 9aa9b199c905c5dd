"""Text files in the encoding they are written in: stated, marked, or recognised by its bytes.

Where `data.table.encoding` is auto, a byte-order mark decides (UTF-8, UTF-16, UTF-32); a file
without one is UTF-8. A file that turns out not to be UTF-8 is taken for Windows-1252, with a note,
only if all of this holds: every byte is a character of Windows-1252; its characters outside ASCII
are fewer than half of its ASCII letters, as in the languages of western Europe; and sequences that
are valid UTF-8 are less than a tenth of the bytes that are not, since a damaged UTF-8 file has many
of the former. All else is an error that names the first such byte.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
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
    """A packed file that holds text; finds out its encoding on the way.

    `notes` say which encoding was recognised; empty for UTF-8 and for a stated encoding.
    """

    def __init__(self, file: PackedFile, encoding: str) -> None:
        self.file = file
        self.notes: list[Note] = []
        self._encoding = encoding

    def read(self, reader: Reader[Result], *, newline: str = "") -> Result:
        """What `reader` returns for the decoded text, from its beginning.

        `reader` receives the text and the open file; it is called a second time where the first
        call met a byte that is not UTF-8. `newline` is that of `open`. Raises `DataError` where the
        bytes cannot be decoded.
        """
        try:
            return self._decoded(reader, newline)
        except UnicodeError as error:
            if self._encoding != AUTO:
                raise _undecodable(self.file, self._encoding, error) from error
        self._encoding = self._western()
        return self.read(reader, newline=newline)

    def _decoded(self, reader: Reader[Result], newline: str) -> Result:
        with self.file.open() as opened:
            head = opened.stream.peek(_HEAD)[:_HEAD]
            marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
            encoding = self._encoding
            if encoding == AUTO:
                encoding = self._recognised(head, marked)
            elif marked and codecs.lookup(encoding).name.startswith(marked.removesuffix("-sig")):
                encoding = marked  # or the mark would be part of the first column
            text = io.TextIOWrapper(opened.stream, encoding=encoding, newline=newline)
            try:
                return reader(text, opened)
            finally:
                text.detach()

    def _recognised(self, head: bytes, marked: str | None) -> str:
        """The encoding that the first bytes say, UTF-8 where they say nothing."""
        if marked is not None:
            if marked != "utf-8-sig":
                self._encoding = marked
                self._note(f"read as {marked.upper()}, as its byte-order mark says")
            return marked
        # ASCII in UTF-16 would pass as UTF-8 with a NUL beside every letter.
        for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if head[first::2].count(0) > len(head) / 4:
                raise DataError(
                    f"text must be UTF-8 or have a byte-order mark, but {self.file.shown} looks "
                    f"like {encoding.upper()} without one (every other byte is 0). "
                    f"If so, set data.table.encoding: {encoding}"
                )
        return "utf-8"

    def _western(self) -> str:
        """Windows-1252, where that is credible; else raises `DataError`."""
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


@dataclass(frozen=True)
class _Scan:
    """What the bytes of a file are when read as UTF-8.

    `byte`, `position` (from 0) and `line` (from 1) are of the first byte that is not. `valid`
    characters outside ASCII are, `invalid` bytes are not, `undefined` of these have no character in
    Windows-1252; `letters` are ASCII letters. `cut_off`: the only fault is an unfinished character
    at the end.
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
    """Reads the whole file: readers decode ahead and cannot say where they met a fault."""
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
    """Byte, position and line of a fault at `start` of a piece that begins at `position`."""
    before = text[:start]
    return (
        ord(text[start]) - 0xDC00,
        position + len(before.encode("utf-8", "surrogateescape")),
        lines + before.count("\n") + 1,
    )


def _undecodable(file: PackedFile, encoding: str, error: UnicodeError) -> DataError:
    """The error for bytes that the stated or marked encoding does not have, with their line."""
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
