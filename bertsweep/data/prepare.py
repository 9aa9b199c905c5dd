"""From `data` of the file to a `Dataset`: read, clean, cut, rid of leaks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.data.clean import CleanRows, clean
from bertsweep.data.dataset import SPLITS, Dataset, Note, content_hash
from bertsweep.data.leaks import settle_leaks
from bertsweep.data.sources import read_source
from bertsweep.data.splitting import Cutter
from bertsweep.errors import DataError
from bertsweep.progress import Progress
from bertsweep.spec.models import Data, SourceFiles

if TYPE_CHECKING:
    import numpy as np

    Positions = np.ndarray[Any, Any]


def prepare(data: Data, *, cache: Path, base: Path, progress: Progress | None = None) -> Dataset:
    """The data that `data` describes, clean, labelled and split.

    Downloads go into `cache`; a relative path is looked for in the working folder, then in `base`.
    `progress` is called with (what, bytes done, bytes in all or None).

    Raises `DataError` when the data cannot be used as it is, `DownloadError` when an address cannot
    be fetched and `MissingPackageError` when an address needs a package that is not installed.
    """
    import pandas as pd

    sources = _sources(data)
    frames = [
        read_source(source, data, cache=cache, base=base, progress=progress)
        for source in sources.values()
    ]
    sizes = [len(frame) for frame in frames]
    raw = pd.concat(frames, ignore_index=True)
    rows, kept = clean(raw, label=data.label, positive=data.positive)
    del frames, raw
    parts = _cut(rows, dict(zip(sources, _pools(kept, sizes), strict=True)), data)
    parts, notes = settle_leaks(parts, rows, data.leaks)
    notes += _check_parts(parts, rows)
    splits = {name: rows.frame.iloc[parts[name]].reset_index(drop=True) for name in SPLITS}
    return Dataset(
        splits=splits,
        labels=rows.labels,
        hash=content_hash(splits, rows.labels),
        notes=(*rows.notes, *notes),
    )


def _sources(data: Data) -> dict[str, str]:
    """Split → where its rows come from; those that are not there are cut from train."""
    if isinstance(data.source, str):
        return {"train": data.source}
    files: SourceFiles = data.source
    given = {"train": files.train, "validation": files.validation, "test": files.test}
    return {name: source for name, source in given.items() if source is not None}


def _pools(kept: Positions, sizes: list[int]) -> list[Positions]:
    """For each source the positions, among the kept rows, of those that came from it."""
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
    """Notes on classes missing from a split; raises `DataError` where that cannot work."""
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
