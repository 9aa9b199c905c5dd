"""Selects a table in a zip; refuses ambiguous, encrypted and unsafe archives."""

from __future__ import annotations

import difflib
import stat
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath

from bertsweep.data.tables.formats import SUFFIXES, format_of
from bertsweep.errors import DataError

_NAMED = 8


def choose_member(
    members: Sequence[zipfile.ZipInfo], *, member: str | None, table: str, shown: str
) -> zipfile.ZipInfo:
    """Returns the only table of a zip, or the file named `member`.

    `table` is `data.format`. Raises `DataError` if a name leads outside the archive, if no file or
    several files qualify, or if the file is encrypted.
    """
    for each in members:
        if _escapes(each.filename):
            raise DataError(
                f"every file of a zip must lie inside it, but {shown} holds {each.filename!r}, "
                "which leads outside. Do not trust this file; get the data from elsewhere."
            )
    files = [each for each in members if _is_file(each)]
    chosen = _named(files, member, shown) if member is not None else _only(files, table, shown)
    if chosen.flag_bits & 0x1:
        raise DataError(
            f"{chosen.filename} in {shown} is encrypted. Unpack it yourself and give its path."
        )
    return chosen


def _escapes(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "" or parts[0].endswith(":") or ".." in parts


def _is_file(member: zipfile.ZipInfo) -> bool:
    """Whether it is none of: folder, link, hidden file, macOS resource fork."""
    if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16):
        return False
    parts = PurePosixPath(member.filename).parts
    return not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _named(files: Sequence[zipfile.ZipInfo], member: str, shown: str) -> zipfile.ZipInfo:
    found = [file for file in files if file.filename == member]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{shown} holds {member!r} {len(found)} times. Unpack it and give the path of the file."
        )
    names = [file.filename for file in files]
    near = difflib.get_close_matches(member, names, n=1, cutoff=0.0)
    hint = f"Did you mean {near[0]!r}?" if near else "It holds no file."
    raise DataError(f"data.member is {member!r}, but {shown} holds {_list(names)}. {hint}")


def _only(files: Sequence[zipfile.ZipInfo], table: str, shown: str) -> zipfile.ZipInfo:
    tables = [file for file in files if format_of(file.filename) not in (None, "txt")]
    tables = tables or [file for file in files if format_of(file.filename) == "txt"]
    if table != "auto":
        tables = [file for file in tables if format_of(file.filename) == table] or list(files)
    names = [file.filename for file in tables]
    if len(tables) == 1:
        return tables[0]
    if tables:
        raise DataError(
            f"{shown} holds {len(tables)} files that could be meant: {_list(names)}. "
            f"Set data.member to one of them, such as data.member: {names[0]}"
        )
    raise DataError(
        f"{shown} holds no table ({', '.join(SUFFIXES)}) but "
        f"{_list([file.filename for file in files]) or 'nothing'}. Set data.member to the file "
        "that is one, and data.format to its format."
    )


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name) for name in names[:_NAMED]) + more
