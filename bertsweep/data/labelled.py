"""Reads rows with labels that were not part of a sweep, for a classifier that knows its classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bertsweep.data.class_names import with_names
from bertsweep.data.clean import counted
from bertsweep.data.dataset import Label, Note
from bertsweep.data.labels import find_classes, typed
from bertsweep.data.load import Loader
from bertsweep.data.sources import locate
from bertsweep.data.tables.columns import Columns
from bertsweep.errors import DataError
from bertsweep.progress import Progress
from bertsweep.spec.data_models import Data

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 5


@dataclass(frozen=True)
class LabelledRows:
    """Rows with the columns `text`, `text_b` (pairs only) and `label`, an int32 class index.

    `notes` say what was recognised and what was left out.
    """

    frame: pd.DataFrame
    notes: tuple[Note, ...]


def read_labelled(
    file: str,
    data: Data,
    labels: Sequence[Label],
    *,
    cache: Path,
    progress: Progress | None = None,
    key: str = "--data",
) -> LabelledRows:
    """Returns the rows of a file, path, pattern or address, as the columns of `data` name them.

    `labels` are the classes in the order of their index. A row with an empty text or label is left
    out. Messages call the file's setting `key`. Raises `DataError` for what cannot be read, for a
    label that is none of `labels`, and where no row is left; `DownloadError` and
    `MissingPackageError`.
    """
    loader = Loader(data, cache=cache, progress=progress, strict=False)
    read = loader.load(locate(file, data, Path.cwd(), key=key), Columns(data.text, data.label))
    (written,), named = with_names([read.frame["label"]], [read.class_names], str(data.label))
    frame = read.frame.assign(label=written.str.strip())
    texts = [column for column in frame if column != "label"]
    empty = (frame["label"] == "") | (frame[texts].apply(lambda one: one.str.strip()) == "").any(
        axis=1
    )
    frame = frame[~empty].reset_index(drop=True)
    if frame.empty:
        raise DataError(f"{file} has no row with both a text and a label. Check its columns.")
    index = _indices(frame["label"].unique().tolist(), labels, file, column=data.label)
    notes = [*read.notes, *named]
    if dropped := int(empty.sum()):
        said = f"{file}: {counted(dropped, 'row')} with an empty text or label left out."
        notes.append(Note("empty", dropped, said))
    return LabelledRows(frame.assign(label=frame["label"].map(index).astype("int32")), tuple(notes))


def _indices(
    found: Sequence[str], labels: Sequence[Label], file: str, *, column: str | int
) -> dict[str, int]:
    """The class of each label text, as it is written or by the value it stands for."""
    by_name = {str(label): index for index, label in enumerate(labels)}
    by_value = {repr(label): index for index, label in enumerate(labels)}
    known = {text: by_name.get(text, by_value.get(_value(text))) for text in found}
    strange = [text for text, index in known.items() if index is None]
    if strange:
        shown = ", ".join(map(repr, strange[:_NAMED])) + (", …" if len(strange) > _NAMED else "")
        expected = ", ".join(map(typed, labels[:20]))
        raise DataError(
            f"the labels of {file} must be those of the checkpoint, {expected}, but column "
            f"{column!r} holds {shown}. Rename them there, or name another column with --set "
            "data.label=NAME."
        )
    return {text: index for text, index in known.items() if index is not None}


def _value(text: str) -> str:
    """What a label text stands for by itself: 1 and 1.0 are one class, and so are true and True."""
    return repr(find_classes([text]).labels[0])
