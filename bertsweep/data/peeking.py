"""The first rows of a source with all their columns, before anyone has said which of them count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep.data import builtin
from bertsweep.data.load import Loader
from bertsweep.data.sources import BUILTIN, SourceFile, find_sources
from bertsweep.data.tables.chunks import ABSENT, Chunk
from bertsweep.data.tables.columns import Columns, as_text
from bertsweep.data.tables.unknown_column import looks_like_data
from bertsweep.progress import Progress
from bertsweep.spec.data_models import Data

MOST_ROWS = 20_000


@dataclass(frozen=True)
class Peek:
    """The first rows of the training files: text by name of the column.

    A value that is no text, number or boolean, such as a list, is None. Without a header the names
    are "1", "2", … `splits` are those that the source has files for. `formats` are those of the
    files; `notes` say what was recognised of the way they are written.
    """

    columns: Mapping[str, Sequence[str | None]]
    header: bool
    splits: tuple[str, ...]
    formats: frozenset[str]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        return max(map(len, self.columns.values()), default=0)


def peek(
    data: Data, *, base: Path, cache: Path, progress: Progress | None = None, rows: int = MOST_ROWS
) -> Peek:
    """Returns the first `rows` rows of what `data.source` names, whatever `data.text` says.

    A first row that looks like data is taken for one, unless `data.table.columns` names the
    columns. Raises what `prepare` raises for files that cannot be read.
    """
    sources = find_sources(data, base=base)
    file, splits = sources.files["train"][0], tuple(sources.files)
    if isinstance(file.place, str) and file.place.startswith(BUILTIN):
        texts, labels = builtin.questions()
        found = {"text": list(texts[:rows]), "label": list(labels[:rows])}
        return Peek(found, header=True, splits=splits, formats=frozenset(), notes=())
    seen = _read(data, file, splits, cache, progress, rows)
    if not (
        seen.header and seen.formats & {"csv", "tsv", "xlsx"} and looks_like_data([*seen.columns])
    ):
        return seen
    table = data.table.model_copy(update={"header": False})
    return _read(data.model_copy(update={"table": table}), file, splits, cache, progress, rows)


def _read(
    data: Data,
    file: SourceFile,
    splits: tuple[str, ...],
    cache: Path,
    progress: Progress | None,
    rows: int,
) -> Peek:
    loader = Loader(data, cache=cache, progress=progress, strict=False)
    stream = loader.stream(file, Columns((1,)))
    columns: dict[str, list[str | None]] = {}
    count = 0
    for chunk in stream.chunks:
        for name in chunk.columns:
            columns.setdefault(name, [""] * count)
        for name, values in columns.items():
            values += _texts(chunk, name)
        count += len(chunk)
        if count >= rows:
            break
    header = data.table.header or stream.kind not in ("csv", "tsv", "xlsx")
    names = list(columns) if header or data.table.columns else map(str, range(1, len(columns) + 1))
    return Peek(
        {name: values[:rows] for name, values in zip(names, columns.values(), strict=True)},
        header,
        splits,
        frozenset({stream.kind}),
        tuple(note.message for note in stream.notes),
    )


def _texts(chunk: Chunk, name: str) -> list[str | None]:
    values: Any = chunk.columns.get(name, [""] * len(chunk))
    values = values.to_pylist() if hasattr(values, "to_pylist") else values
    return ["" if value is ABSENT else _text(value) for value in values]


def _text(value: Any) -> str | None:
    try:
        return as_text(value)
    except TypeError:
        return None
