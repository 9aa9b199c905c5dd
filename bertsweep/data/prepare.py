"""The section `data` of a search space file → a `Dataset`: read, cleaned, split, leaks settled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.data.class_names import with_names
from bertsweep.data.clean import CleanRows, clean
from bertsweep.data.dataset import SPLITS, Dataset, Note, content_hash
from bertsweep.data.leaks import settle_leaks
from bertsweep.data.load import Loader
from bertsweep.data.sources import find_sources
from bertsweep.data.splitting import Cutter
from bertsweep.data.tables.columns import Columns
from bertsweep.errors import DataError
from bertsweep.progress import Progress
from bertsweep.spec.data_models import Data

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Positions = np.ndarray[Any, Any]


def prepare(data: Data, *, cache: Path, base: Path, progress: Progress | None = None) -> Dataset:
    """Returns the dataset that `data` describes, clean, labelled and split.

    Downloads are stored in `cache`; a relative path is resolved against the working folder, then
    against `base`. `progress` receives (activity, bytes done, total bytes or None).

    Raises `DataError` if the data cannot be used as it is, `DownloadError` if an address cannot be
    fetched, and `MissingPackageError` if an address or a format needs a package that is missing.
    """
    import pandas as pd

    frames, read_notes = _read(data, cache=cache, base=base, progress=progress)
    sizes = [len(frame) for frame in frames.values()]
    raw = pd.concat(frames.values(), ignore_index=True)
    called = str(data.label) if data.labels is None else "data.labels"
    rows, kept = clean(raw, label=called, positive=data.positive)
    splits_read = list(frames)
    del frames, raw
    parts = _cut(rows, dict(zip(splits_read, _pools(kept, sizes), strict=True)), data)
    parts, notes = settle_leaks(parts, rows, data.leaks)
    notes += _check_parts(parts, rows)
    splits = {name: rows.frame.iloc[parts[name]].reset_index(drop=True) for name in SPLITS}
    return Dataset(
        splits=splits,
        labels=rows.labels,
        hash=content_hash(splits, rows.labels),
        notes=(*read_notes, *rows.notes, *notes),
    )


def _read(
    data: Data, *, cache: Path, base: Path, progress: Progress | None
) -> tuple[dict[str, pd.DataFrame], list[Note]]:
    """Returns the raw rows of every split that `data.source` lists, and notes on the reading."""
    sources = find_sources(data, base=base)
    loader = Loader(data, cache=cache, progress=progress)
    columns = Columns(data.text, None if data.labels is not None else data.label)
    tables = {
        split: loader.load(
            files, columns, labels=sources.labels.get(split, ()), class_names=sources.class_names
        )
        for split, files in sources.files.items()
    }
    notes = [*sources.notes, *(note for rows in tables.values() for note in rows.notes)]
    labels, named = with_names(
        [rows.frame["label"] for rows in tables.values()],
        [rows.class_names for rows in tables.values()],
        str(data.label),
    )
    frames = {
        split: rows.frame.assign(label=label)
        for (split, rows), label in zip(tables.items(), labels, strict=True)
    }
    if sources.from_folder:
        notes += _leave_out_unlabelled(frames)
    return frames, [*dict.fromkeys(notes), *named]


def _leave_out_unlabelled(frames: dict[str, pd.DataFrame]) -> list[Note]:
    """Removes splits without any label, which published test splits often are; returns notes."""
    notes = []
    for split in ("validation", "test"):
        if split in frames and (frames[split]["label"] == "").all():
            rows = len(frames.pop(split))
            said = f"the {split} split of the dataset has no labels ({rows:,} rows) and is not "
            said += f"used: {split} is cut from train by data.split."
            notes.append(Note(f"unlabelled_{split}", rows, said))
    return notes


def _pools(kept: Positions, sizes: list[int]) -> list[Positions]:
    """Returns for each split read the positions, among the kept rows, of its rows."""
    import numpy as np

    ends = np.searchsorted(kept, np.cumsum(sizes))
    return np.split(np.arange(len(kept)), ends[:-1])


def _cut(rows: CleanRows, pools: Mapping[str, Positions], data: Data) -> dict[str, Positions]:
    cutter = Cutter(rows.codes, rows.labels, data.split.random_state)
    parts = dict(pools)
    if data.limit is not None:
        parts = {name: cutter.sample(pool, data.limit) for name, pool in parts.items()}
    names = ["train", *(name for name in SPLITS if name not in parts)]
    return parts | cutter.cut_all(parts["train"], data.split, names)


def _check_parts(parts: Mapping[str, Positions], rows: CleanRows) -> list[Note]:
    """Returns notes on classes missing from a split; raises `DataError` if training needs them."""
    import numpy as np

    notes = []
    for name in SPLITS:
        if not len(parts[name]):
            raise DataError(
                f"no rows are left in {name} once empty rows and those that also stand in another "
                "split are left out. Give it more rows, or set data.leaks: keep."
            )
        counts = np.bincount(rows.codes[parts[name]], minlength=len(rows.labels))
        missing = [repr(rows.labels[code]) for code in np.flatnonzero(counts == 0)]
        if not missing:
            continue
        said = f"{name} ({len(parts[name]):,} rows) has none of class {', '.join(missing[:5])}"
        if name == "train":
            raise DataError(
                f"every class must stand in train, but {said}. Add such rows to train, or remove "
                "them from the other files."
            )
        if name == "validation" and np.count_nonzero(counts) == 1:
            raise DataError(
                f"validation must hold two classes or more to rank trials, but {said}. Give it "
                "more rows with data.split.validation."
            )
        notes.append(
            Note(f"missing_class_{name}", len(missing), f"{said}; it is not scored there.")
        )
    return notes
