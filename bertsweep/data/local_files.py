"""Resolves paths and glob patterns of a search space file to files on disk."""

from __future__ import annotations

import difflib
import glob
import re
from pathlib import Path

from bertsweep.data.tables.formats import format_of
from bertsweep.errors import DataError

_PATTERN = re.compile(r"[*?\[]")
_NUMBERS = re.compile(r"(\d+)")


def find_files(given: str, base: Path, *, key: str = "data.source") -> list[Path]:
    """Returns the file or folder at a path, or the files that match a pattern, sorted by name.

    Relative ones are resolved against the working folder, then against `base`. A path that exists
    is not a pattern, whatever characters it has. Numbers in names sort by value: part 10 comes
    after part 9. Messages call the setting `key`. Raises `DataError` if nothing is found.
    """
    settled = absolute(given, base, key=key)
    if _exists(Path(settled)):
        return [Path(settled)]
    return sorted(_matches(settled), key=_natural)


def absolute(given: str, base: Path, *, key: str = "data.source") -> str:
    """Returns the absolute path or pattern that `given` resolves to in the working folder.

    Raises `DataError` if there is no such file or folder, or no file that matches.
    """
    path = Path(given).expanduser()
    places = list(dict.fromkeys([Path.cwd(), base.absolute()]))
    tried = list(dict.fromkeys(place / path for place in places))
    for each in tried:
        if _exists(each):
            return str(each)
    if not _PATTERN.search(given):
        named = " and ".join(str(each) for each in tried)
        raise DataError(f"there is no file {given!r}: tried {named}.{_near(tried, key)}")
    for place in places:
        pattern = str(Path(glob.escape(str(place))) / path)
        if _matches(pattern):
            return pattern
    named = " and in ".join(str(place) for place in places)
    raise DataError(f"no file matches {given!r} in {named}. Check {key}.")


def inside(folder: Path) -> str:
    """Returns what to type instead of a folder that is not a dataset."""
    names = sorted(each.name for each in folder.iterdir() if format_of(each.name) is not None)
    if not names:
        return "Give the path of a file."
    return f"Give a file in it, such as {folder / names[0]}, or files for each split."


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than the file system allows
        return False


def _matches(pattern: str) -> list[Path]:
    found = [Path(match) for match in glob.glob(pattern, recursive=True)]
    return [path for path in found if path.is_file()]


def _natural(path: Path) -> list[str | int]:
    pieces = _NUMBERS.split(str(path))
    return [int(piece) if index % 2 else piece for index, piece in enumerate(pieces)]


def _near(tried: list[Path], key: str) -> str:
    for path in tried:
        if path.parent.is_dir():
            names = [each.name for each in path.parent.iterdir() if each.is_file()]
            near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
            if near:
                return f" Did you mean {path.parent / near[0]}?"
    return f" Check {key}."
