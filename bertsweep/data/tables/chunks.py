"""Tables as chunks of rows, with all their columns: what a file of any size is labelled from."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from typing import Any, Final

from bertsweep.data.dataset import Note
from bertsweep.errors import DataError

Row = Sequence[Any]
Gather = Callable[[Iterator[Row]], Iterator[list[Row]]]

CHUNK_ROWS = 8192
"""Most rows of a chunk: enough to sort rows by length, few enough to keep in memory."""

CHUNK_CHARACTERS = 1 << 24
"""A chunk of long texts ends once its rows hold as many characters."""

_IDLE_SECONDS = 0.2

ABSENT: Final = object()
"""Stands in a column where a JSON object lacks the key."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows: `texts` (one list, or two for pairs; missing ones are "") and `columns`.

    `columns` maps every name to its values, as long as the texts: text in most formats, whatever
    JSON holds in JSON (`ABSENT` where the key is missing), Arrow arrays in parquet and Arrow.
    """

    texts: tuple[list[str], ...]
    columns: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.texts[0])


@dataclass
class ChunkStream:
    """A table that is read once: iterate over `chunks`. `rows` is their number where it is known.

    `kind` is the format. `notes` say what was recognised; the last of them stand there when all
    chunks were read.
    """

    chunks: Iterator[Chunk]
    rows: int | None = None
    notes: list[Note] = field(default_factory=list)
    kind: str = ""


def unique_names(names: Sequence[str], shown: str) -> list[str]:
    """Returns the names of columns, each once: a second "x" becomes "x.2".

    Raises `DataError` where such a name is taken.
    """
    counts: dict[str, int] = {}
    made = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        made.append(name if counts[name] == 1 else f"{name}.{counts[name]}")
    if len(set(made)) != len(made):
        again = next(name for name in made if made.count(name) > 1)
        raise DataError(f"{shown} has several columns called {again!r}. Rename them.")
    return made


def parts(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Yields lists of rows: up to `CHUNK_ROWS`, fewer where their texts are long."""
    part: list[Row] = []
    characters = 0
    for row in rows:
        part.append(row)
        characters += _characters(row)
        if len(part) >= CHUNK_ROWS or characters >= CHUNK_CHARACTERS:
            yield part
            part, characters = [], 0
    if part:
        yield part


def or_none(found: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """Yields the lists of rows, or one without rows where there are none.

    So that the columns of a table without rows are told too.
    """
    first = next(found, [])
    yield first
    yield from found


def arriving(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Yields lists of rows as `parts` does, and what has arrived when nothing more does for 0.2 s.

    The rows are read in a thread of its own, a chunk ahead.
    """
    queue: Queue[Row | BaseException | None] = Queue(CHUNK_ROWS)
    over = threading.Event()

    def put(item: Row | BaseException | None) -> None:
        while not over.is_set():
            with contextlib.suppress(Full):
                queue.put(item, timeout=1)
                return

    def read() -> None:
        try:
            for row in rows:
                put(row)
                if over.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - raised again by who waits for the rows
            put(error)

    threading.Thread(target=read, name="bertsweep-rows", daemon=True).start()
    try:
        yield from _arrived(queue)
    finally:
        over.set()


def _arrived(queue: Queue[Row | BaseException | None]) -> Iterator[list[Row]]:
    part: list[Row] = []
    characters = 0
    while True:
        try:
            item = queue.get(timeout=_IDLE_SECONDS if part else None)
        except Empty:
            yield part
            part, characters = [], 0
            continue
        if item is None or isinstance(item, BaseException):
            if part:
                yield part
            if item is not None:
                raise item
            return
        part.append(item)
        characters += _characters(item)
        if len(part) >= CHUNK_ROWS or characters >= CHUNK_CHARACTERS:
            yield part
            part, characters = [], 0


def _characters(row: Row) -> int:
    """About how much text a row holds; a JSON object counts as its texts."""
    count = 0
    for value in row:
        if isinstance(value, str):
            count += len(value)
        elif isinstance(value, dict):
            count += _characters(tuple(value.values()))
    return count
