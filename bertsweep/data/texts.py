"""The texts of a file to be labelled: read as a sweep's data are, but every row, and no labels."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bertsweep.data.dataset import Note
from bertsweep.data.load import Loader
from bertsweep.data.sources import SourceFile, locate
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.rows import TableRows
from bertsweep.progress import Progress
from bertsweep.spec.models import Data

STDIN = "-"


@dataclass(frozen=True)
class Texts:
    """The texts and, for pairs, the second texts, a row each; `notes` say how they were read."""

    columns: tuple[list[str], ...]
    notes: tuple[Note, ...] = ()


def read_texts(
    file: str, data: Data, *, cache: Path, progress: Progress | None = None, key: str = "--column"
) -> Texts:
    """The columns `data.text` of a file, one row for each of its rows, in order, none left out.

    `file` is a path, pattern or address of any format that `data.source` takes, or - for standard
    input; where neither its name nor `data.format` says the format it holds one text a line.
    `key` is what messages call the setting of the columns. Raises `DataError` for what cannot be
    read, `DownloadError` and `MissingPackageError`.
    """
    loader = Loader(data, cache=cache, progress=progress, usual="txt", strict=False)
    columns = Columns(data.text, text_key=key)
    if file != STDIN:
        return _texts(loader.load(locate(file, data, Path.cwd(), key="--file"), columns))
    with tempfile.NamedTemporaryFile() as spool:
        spool.write(sys.stdin.buffer.read())
        spool.flush()
        source = SourceFile(Path(spool.name), "standard input", data.member)
        return _texts(loader.load([source], columns))


def _texts(rows: TableRows) -> Texts:
    return Texts(tuple(rows.frame[column].tolist() for column in rows.frame), rows.notes)
