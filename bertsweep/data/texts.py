"""Reads the texts of a file to be labelled, with the readers that read the data of sweeps."""

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
from bertsweep.spec.data_models import Data

STDIN = "-"


@dataclass(frozen=True)
class Texts:
    """Texts and, for pairs, second texts, one per row.

    `formats` are those of the files that were read; `notes` say what was recognised.
    """

    columns: tuple[list[str], ...]
    formats: frozenset[str] = frozenset()
    notes: tuple[Note, ...] = ()


def read_texts(
    file: str, data: Data, *, cache: Path, progress: Progress | None = None, key: str = "--column"
) -> Texts:
    """Returns the columns `data.text` of a file: one text for each of its rows, in order.

    `file` is a path, pattern or address of any format that `data.source` accepts, or `-` for
    standard input. It has one text per line if neither its name nor `data.format` implies a format.
    Messages call the setting of the columns `key`. Raises `DataError` for what cannot be read,
    `DownloadError` and `MissingPackageError`.
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
    return Texts(
        tuple(rows.frame[column].tolist() for column in rows.frame), rows.formats, rows.notes
    )
