"""Files of the other splits beside a file of training rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bertsweep.data import Peek, peek
from bertsweep.draft.columns import Guess
from bertsweep.errors import BertsweepError
from bertsweep.spec.data_models import Data

_TRAIN = ("train", "training")
_OTHERS = {"validation": ("validation", "valid", "val", "dev"), "test": ("test", "testing")}


def beside(
    source: str, stated: Data, seen: Peek, columns: Guess, *, cache: Path
) -> tuple[dict[str, str], list[str]]:
    """Returns the file of each split by name, and what is to be said of them.

    `stated` says how they are written.

    Beside `train.csv` these are `dev.csv` (or validation, valid, val) and `test.csv`, if they have
    the same columns and no label but those of the training rows: published test files often have
    none at all.
    """
    found = {"train": source}
    notes = []
    for split, path in _files(source):
        if _fits(stated.model_copy(update={"source": path}), seen, columns, cache=cache):
            found[split] = path
            notes.append(f"{split}: {path}, which lies beside the training rows.")
        else:
            notes.append(
                f"{path} lies beside the training rows, but its columns or labels are not theirs: "
                "it is not used."
            )
    return found, notes


def _files(source: str) -> Iterator[tuple[str, str]]:
    name, dot, suffixes = Path(source).name.partition(".")
    if name.lower() not in _TRAIN or "://" in source:
        return
    for split, names in _OTHERS.items():
        for other in names:
            path = Path(source).with_name(f"{other}{dot}{suffixes}")
            if path.is_file():
                yield split, str(path)
                break


def _fits(data: Data, seen: Peek, columns: Guess, *, cache: Path) -> bool:
    try:
        other = peek(data, base=Path.cwd(), cache=cache)
    except BertsweepError:
        return False
    wanted = {*columns.text, columns.label}
    if other.header != seen.header or not wanted <= set(other.columns):
        return False
    labels = {value for value in other.columns[columns.label] if value and value.strip()}
    return bool(labels) and labels <= set(seen.columns[columns.label])
