"""Where a file stops being UTF-8."""

from __future__ import annotations

import codecs

from bertsweep.data.tables.compressed import PackedFile
from bertsweep.errors import DataError

_PIECE = 1 << 20


def not_utf8(file: PackedFile) -> DataError:
    """The error for a file that is not UTF-8, with line, position and byte of the first fault.

    Reads the file again up to there: readers decode ahead and cannot say where they are.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = lines = 0
    with file.open() as opened:
        while True:
            piece = opened.stream.read(_PIECE)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                start = error.start
                position = read - held + start
                line = lines + bytes(error.object[:start]).count(b"\n") + 1
                return DataError(_message(file.shown, bytes(error.object), start, position, line))
            if not piece:
                return DataError(f"{file.shown} changed while it was read. Run the command again.")
            read += len(piece)
            lines += piece.count(b"\n")


def _message(shown: str, held: bytes, start: int, position: int, line: int) -> str:
    said = (
        f"text must be UTF-8, but {shown} holds the byte 0x{held[start]:02x} at position "
        f"{position:,}, line {line:,}."
    )
    if position == 0 and held[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return f"{said} It is UTF-16: type `iconv -f UTF-16 -t UTF-8 FILE > NEW`."
    return f"{said} If it is Windows-1252 text, type `iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW`."
