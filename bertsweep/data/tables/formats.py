"""Determines the format of a table from its file name."""

from __future__ import annotations

from pathlib import PurePosixPath

from bertsweep.errors import DataError

_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
SUFFIXES = tuple(_FORMATS)

_UNREAD = {
    ".tar": "is packed in a way that is not read; zip and gz are. Unpack it and give the path of "
    "the table.",
    ".xls": "is a workbook of an old kind. Save it as .xlsx or csv.",
    ".ods": "is no Excel workbook. Save it as .xlsx or csv.",
    ".pickle": "is a pickle, which may run any code when it is read. Save the table as parquet.",
}
_UNREAD |= dict.fromkeys((".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"), _UNREAD[".tar"])
_UNREAD |= {".xlsb": _UNREAD[".xls"], ".pkl": _UNREAD[".pickle"]}


def format_of(name: str) -> str | None:
    """Returns the format that the suffix of a file name implies, ignoring .gz; else None."""
    path = PurePosixPath(name.lower())
    if path.suffix == ".gz":
        path = path.with_suffix("")
    return _FORMATS.get(path.suffix)


def decide_format(name: str, chosen: str, shown: str, *, usual: str | None = None) -> str:
    """Returns `chosen` unless it is auto, else the format the name implies, else `usual`.

    Raises `DataError` if there is none, and for formats that are not supported.
    """
    found = format_of(name) if chosen == "auto" else chosen
    if found is not None:
        return found
    suffix = PurePosixPath(name.lower()).suffix
    if suffix in _UNREAD:
        raise DataError(f"{shown} {_UNREAD[suffix]}")
    if usual is not None:
        return usual
    raise DataError(
        f"the name of {shown} ({name!r}) does not say its format: none of {', '.join(SUFFIXES)}. "
        "Set data.format, such as data.format: csv."
    )
