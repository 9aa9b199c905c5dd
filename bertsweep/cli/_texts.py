"""The texts of `predict --file`: read as the data of the sweep were, or as `--set` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertsweep import results
from bertsweep.data import RowStream, open_rows, read_texts
from bertsweep.errors import InputError
from bertsweep.paths import SweepPaths, cache_root
from bertsweep.progress import Progress
from bertsweep.spec import load_data
from bertsweep.spec.data_models import Data, Table
from bertsweep.spec.document import Document
from bertsweep.spec.overrides import override
from bertsweep.spec.words import inline

Columns = tuple[list[str], ...]
"""The texts, and for pairs the second texts."""

_KEPT = ("text", "table", "max_unpacked_gb")
"""Keys of a sweep's data that also hold for files it never saw."""


def read_file(
    file: str,
    folder: Path,
    *,
    text: Sequence[str | int] = (),
    column: Sequence[str] = (),
    settings: Sequence[str] = (),
) -> tuple[Columns, list[str]]:
    """A row of texts for each row of `file`, and what is to be said of how it was read.

    `folder` is the checkpoint's and `text` the text columns that it was trained on, `column` are
    those of the file where they are others, `settings` are `data.key=VALUE`. Raises `InputError`
    and its kin for what cannot be read.
    """
    data, stated = _described(file, folder, text, column, settings)
    texts = read_texts(file, data, cache=cache_root())
    notes = _as_the_sweep(file, data, stated, texts.formats)
    return texts.columns, [*notes, *(note.message for note in texts.notes)]


@contextmanager
def open_file(
    file: str,
    folder: Path,
    *,
    text: Sequence[str | int] = (),
    column: Sequence[str] = (),
    settings: Sequence[str] = (),
    progress: Progress | None = None,
) -> Iterator[tuple[RowStream, list[str]]]:
    """Opens what `read_file` reads, to go through it chunk by chunk; also returns sentences on it.

    The first chunk was read, so that a mistake in it is reported at once.
    """
    data, stated = _described(file, folder, text, column, settings)
    with open_rows(file, data, cache=cache_root(), progress=progress) as rows:
        rows.prime()
        yield rows, _as_the_sweep(file, data, stated, rows.formats)


def _described(
    file: str,
    folder: Path,
    text: Sequence[str | int],
    column: Sequence[str],
    settings: Sequence[str],
) -> tuple[Data, dict[str, Any]]:
    """The section that describes the file, and what the sweep says of it without `settings`."""
    section = sweep_data(folder)
    section |= {"text": list(text)} if text else {}
    section["source"] = file
    return _section(section, column, settings), section


def _as_the_sweep(
    file: str, data: Data, section: Mapping[str, Any], formats: frozenset[str]
) -> list[str]:
    unused = set(Table.model_fields).intersection(*map(data.table.unused, formats))
    stated = data.table.model_dump(mode="json", exclude_defaults=True, exclude=unused)
    if stated and data.table == Table.model_validate(section.get("table", {})):
        return [f"{file} is read as data.table of the sweep says: {inline(stated)}."]
    return []


def sweep_data(checkpoint: Path) -> dict[str, Any]:
    """How the data of the sweep are written that a checkpoint lies in; empty outside of any."""
    for folder in checkpoint.parents:
        paths = SweepPaths(folder)
        if paths.ledger.is_file():
            stored: Mapping[str, Any] = results.load(paths).started.spec["data"]
            return {key: stored[key] for key in _KEPT if key in stored}
    return {}


def _section(plain: dict[str, Any], column: Sequence[str], settings: Sequence[str]) -> Data:
    """The section `data` that describes the file; a number is one where there is no header."""
    if len(column) > 2:
        raise InputError(f"--column names one text column, or two for pairs, but got {len(column)}")
    if column:
        numbered = not _has_header(plain, settings)
        plain["text"] = [int(name) if numbered and name.isdecimal() else name for name in column]
    return load_data(plain, overrides=settings)


def _has_header(plain: dict[str, Any], settings: Sequence[str]) -> bool:
    here: Any = override(Document({"data": plain}), settings)[0].plain
    for key in ("data", "table"):
        here = here.get(key) if isinstance(here, dict) else None
    return not (isinstance(here, dict) and here.get("header") is False)
