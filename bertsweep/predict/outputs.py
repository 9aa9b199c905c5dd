"""Where labelled rows go: a csv, JSON lines or parquet file, whole or absent, or standard output.

Every row keeps its columns and gets `predicted_label`, `predicted_probability` (that of the label)
and, for each label, `probability_LABEL`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bertsweep import atomic
from bertsweep.data import Chunk
from bertsweep.errors import InputError
from bertsweep.predict.lines import Csv, JsonLines
from bertsweep.predict.parquet import ParquetOutput
from bertsweep.predict.predictor import Answers
from bertsweep.space import Scalar

STDOUT = "-"
_SUFFIXES = (".csv", ".jsonl", ".parquet")


class Output(Protocol):
    """Takes labelled rows, chunk by chunk."""

    def write(self, chunk: Chunk, answers: Answers) -> None:
        """Writes the rows of a chunk. Raises `InputError` for columns that cannot be written."""


def check_target(target: str, *, force: bool) -> None:
    """Raises `InputError` where `target` cannot be written, or exists and `force` is not given."""
    if target == STDOUT:
        return
    path = Path(target).expanduser()
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(
            f"--out must end in {', '.join(_SUFFIXES)}, or be - for JSON lines on standard output, "
            f"but got {target!r}."
        )
    if not path.parent.is_dir():
        raise InputError(f"--out is {target!r}, but there is no folder {path.parent}. Make it.")
    if path.is_dir():
        raise InputError(f"--out is {target!r}, which is a folder. Give the name of a file.")
    if path.exists() and not force:
        raise InputError(f"{target} exists already. Give another name, or --force to replace it.")


@contextmanager
def open_output(target: str, labels: Sequence[Scalar], *, force: bool) -> Iterator[Output]:
    """Opens the file `target`, or standard output for `-`; its name tells the format.

    A file stands in its place when the block has ended, and not at all where it ends by an
    exception. On standard output each chunk stands as soon as it is written. Raises what
    `check_target` raises.
    """
    check_target(target, force=force)
    if target == STDOUT:
        yield JsonLines(sys.stdout, labels)
        return
    path = Path(target).expanduser()
    with atomic.draft_file(path) as draft:
        if path.suffix.lower() == ".parquet":
            with ParquetOutput(draft, labels) as parquet:
                yield parquet
            return
        with draft.open("w", encoding="utf-8", newline="") as file:
            yield JsonLines(file, labels) if path.suffix.lower() == ".jsonl" else Csv(file, labels)
