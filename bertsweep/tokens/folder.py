"""A dataset's word pieces on disk: made once, named by what they depend on, memory-mapped."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import tokenizers

from bertsweep import atomic, checksums
from bertsweep.checksums import DamageError
from bertsweep.errors import EnvironmentFault
from bertsweep.progress import Progress
from bertsweep.tokens.opening import open_tokenizer
from bertsweep.tokens.special import Tokenizer
from bertsweep.vocabulary import TOKENIZER

if TYPE_CHECKING:
    import pandas as pd

    from bertsweep.data import Dataset

RECORD = "meta.json"

FORMAT = 2
"""Version of the files; part of the folder's name."""

_CHUNK_ROWS = 65_536
"""Rows tokenised before they are written, which bounds the memory (about 100 MB)."""


def tokenize_dataset(
    dataset: Dataset,
    *,
    vocabulary: Path,
    lowercase: bool,
    cache: Path,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Path:
    """The folder with the word pieces of every split; a second call only verifies it.

    One process is enough: a million questions take some ten seconds. `progress` counts rows,
    `notify` receives a sentence when a damaged folder is made again.
    Raises `EncoderError` for the vocabulary and `EnvironmentFault` when the cache cannot be
    written.
    """
    digest = hashlib.sha256(vocabulary.read_bytes()).hexdigest()
    # Python's Unicode tables decide what is a letter, and they differ between versions.
    library = vocabulary.name == TOKENIZER
    rules = tokenizers.__version__ if library else unicodedata.unidata_version
    name = _name(dataset.hash, digest, lowercase=lowercase, rules=rules)
    root = cache / "tokens"
    final = root / name
    if final.exists():
        try:
            read_meta(final)
            return final
        except DamageError as error:
            notify(f"the tokens in {final} are made again: {error}")
            atomic.remove(final)
    tokenizer = open_tokenizer(vocabulary, lowercase=lowercase)
    try:
        with atomic.draft_folder(root, name, mode=0o700) as draft:
            _write(dataset, draft, tokenizer, progress)
            atomic.publish(draft, final)  # or another process's equal result is there
    except OSError as error:
        raise EnvironmentFault(
            f"the token cache {root} cannot be written ({error.strerror}). "
            "Free space there, or set BERTSWEEP_CACHE to another folder."
        ) from error
    return final


def read_meta(folder: Path, split: str | None = None) -> dict[str, Any]:
    """What a tokens folder says of itself; the files of `split`, or all, are verified.

    Raises `DamageError`.
    """
    meta = checksums.read_sealed(folder / RECORD)
    files = meta.get("files")
    if not isinstance(files, dict):
        raise DamageError(f"{RECORD} lists no files")
    checksums.check_files(
        folder,
        {name: files[name] for name in files if split is None or name.startswith(f"{split}.")},
    )
    return meta


def _name(dataset: str, vocabulary: str, *, lowercase: bool, rules: str) -> str:
    parts = [FORMAT, dataset, vocabulary, lowercase, rules]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _write(dataset: Dataset, folder: Path, tokenizer: Tokenizer, progress: Progress | None) -> None:
    pair = any("text_b" in frame for frame in dataset.splits.values())
    columns = {"first": "text", "second": "text_b"} if pair else {"first": "text"}
    total = sum(map(len, dataset.splits.values())) * len(columns)
    done = 0
    for split, frame in dataset.splits.items():
        np.save(folder / f"{split}.labels.npy", frame["label"].to_numpy(np.int32))
        for name, column in columns.items():
            for rows in _write_column(frame[column], folder, f"{split}.{name}", tokenizer):
                done += rows
                if progress is not None:
                    progress("tokenising", done, total)
    meta: dict[str, Any] = {
        "format": FORMAT,
        "rows": {split: len(frame) for split, frame in dataset.splits.items()},
        "classes": len(dataset.labels),
        "pair": pair,
        "lowercase": tokenizer.lowercase,
        "special": asdict(tokenizer.special),
        "files": checksums.of_files(folder, sorted(path.name for path in folder.iterdir())),
    }
    (folder / RECORD).write_text(checksums.seal(meta), encoding="utf-8")


def _write_column(
    texts: pd.Series[str], folder: Path, name: str, tokenizer: Tokenizer
) -> Iterator[int]:
    """Writes the pieces of one column, chunk by chunk, and yields the rows of each."""
    counts = [np.zeros(1, np.int64)]
    with (folder / f"{name}.ids.npy").open("wb") as file:
        _write_header(file, 0)
        for start in range(0, len(texts), _CHUNK_ROWS):
            chunk = texts.iloc[start : start + _CHUNK_ROWS].tolist()
            ids, offsets = tokenizer.encode(chunk)
            ids.tofile(file)
            counts.append(np.diff(offsets))
            yield len(chunk)
        offsets = np.cumsum(np.concatenate(counts))
        file.seek(0)
        _write_header(file, int(offsets[-1]))
    np.save(folder / f"{name}.offsets.npy", offsets)


def _write_header(file: BinaryIO, length: int) -> None:
    """The head of a .npy file of int32; numpy leaves room in it, so that the length can grow."""
    header = {"descr": "<i4", "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(file, header)
