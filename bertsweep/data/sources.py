"""What `data.source` means: a file on disk, one behind an address, or the built-in questions."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from bertsweep.data import builtin
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.delimited import read_csv, read_tsv
from bertsweep.data.tables.formats import decide_format, format_of
from bertsweep.data.tables.jsonl import read_jsonl
from bertsweep.data.tables.parquet import read_parquet
from bertsweep.download.fetch import SCHEMES, fetch
from bertsweep.download.transfer import without_secrets
from bertsweep.errors import DataError
from bertsweep.progress import Progress
from bertsweep.spec.models import Data

if TYPE_CHECKING:
    import pandas as pd

_READERS = {"csv": read_csv, "tsv": read_tsv, "jsonl": read_jsonl, "parquet": read_parquet}
_BUILTIN = "builtin:"


def read_source(
    source: str, data: Data, *, cache: Path, base: Path, progress: Progress | None
) -> pd.DataFrame:
    """The columns of `source` that `data` names, as text: `text`, `text_b` (pairs only), `label`.

    Raises `DataError`, or `DownloadError` or `MissingPackageError` for an address.
    """
    columns = Columns(data.text, data.label)
    if source.startswith(_BUILTIN):
        return _builtin(source, columns)
    file = PackedFile(
        path=_local(source, cache=cache, base=base, progress=progress),
        shown=without_secrets(source),
        format=data.format,
        member=data.member,
        max_unpacked_gb=data.max_unpacked_gb,
    )
    try:
        with file.open() as opened:
            kind = decide_format(opened.name, data.format, file.shown)

        def tick(opened: Unpacked) -> None:
            if progress is not None:
                progress(f"reading {file.path.name}", opened.raw.tell(), opened.size)

        return _READERS[kind](file, columns, tick=tick)
    except OSError as error:
        raise DataError(f"{file.shown} cannot be read: {error}. Check the file.") from error


def _builtin(source: str, columns: Columns) -> pd.DataFrame:
    if source != builtin.QUESTIONS:
        raise DataError(
            f"there is no built-in data called {source!r}. Set data.source: {builtin.QUESTIONS}"
        )
    texts, labels = builtin.questions()
    values = {"text": texts, "label": labels}
    columns.positions(list(values), source)
    return columns.frame([values[name] for name in columns.names])


def _local(source: str, *, cache: Path, base: Path, progress: Progress | None) -> Path:
    scheme, mark, _ = source.partition("://")
    if not mark:
        return _find(source, base)
    if scheme.lower() not in SCHEMES:
        raise DataError(
            f"an address begins with one of {', '.join(SCHEMES)}, but data.source is "
            f"{without_secrets(source)!r}. Give such an address, or a path."
        )
    return fetch(source, cache=cache, progress=progress)


def _find(source: str, base: Path) -> Path:
    """A path as it is, else one under `base`."""
    given = Path(source).expanduser()
    tried = list(dict.fromkeys([Path.cwd() / given, base.absolute() / given]))
    for path in tried:
        if path.is_file():
            return path
        if path.is_dir():
            raise DataError(f"data.source must be a file, but {path} is a folder. {_inside(path)}")
    places = " and ".join(str(path) for path in tried)
    raise DataError(f"there is no file {source!r}: tried {places}.{_near(tried)}")


def _inside(folder: Path) -> str:
    names = sorted(each.name for each in folder.iterdir() if format_of(each.name) is not None)
    if not names:
        return "Give the path of a file."
    return f"Give a file in it, such as {folder / names[0]}, or one for each split."


def _near(tried: list[Path]) -> str:
    for path in tried:
        if path.parent.is_dir():
            names = [each.name for each in path.parent.iterdir() if each.is_file()]
            near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
            if near:
                return f" Did you mean {path.parent / near[0]}?"
    return " Check data.source."
