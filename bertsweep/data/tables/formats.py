"""Which table format a file name means."""

from __future__ import annotations

from pathlib import PurePosixPath

from bertsweep.errors import DataError

_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
SUFFIXES = tuple(_FORMATS)


def format_of(name: str) -> str | None:
    """csv, tsv, jsonl or parquet by the end of a file name, a .gz left aside; else None."""
    path = PurePosixPath(name.lower())
    if path.suffix == ".gz":
        path = path.with_suffix("")
    return _FORMATS.get(path.suffix)


def decide_format(name: str, chosen: str, shown: str) -> str:
    """`chosen`, or where that is auto what the name says. Raises `DataError` if it says nothing."""
    if chosen != "auto":
        return chosen
    found = format_of(name)
    if found is not None:
        return found
    if name.lower().endswith((".tar", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")):
        raise DataError(
            f"{shown} is packed in a way that is not read; zip and gz are. Unpack it and give the "
            "path of the table."
        )
    raise DataError(
        f"the name of {shown} ({name!r}) does not say its format: none of {', '.join(SUFFIXES)}. "
        "Set data.format to csv, tsv, jsonl or parquet."
    )
