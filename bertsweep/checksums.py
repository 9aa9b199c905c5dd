"""Checksums that tell a damaged artefact: of files, and of the JSON record that lists them.

CRC-32, as for the lines of the ledger: it finds every flipped bit and every cut, at about 2.5 GB/s.
It does not protect against someone who wants to deceive.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_KEY = "checksum"
_CHUNK = 1 << 20


class DamageError(ValueError):
    """A file is missing, cannot be read, or is not what was written; the text says which."""


def of_file(path: Path) -> str:
    """The checksum of a file's bytes, as eight hexadecimal digits."""
    checksum = 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return f"{checksum:08x}"


def of_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """File name → checksum, to be kept in a record and given to `check_files`."""
    return {name: of_file(folder / name) for name in names}


def check_files(folder: Path, checksums: Mapping[str, str]) -> None:
    """Raises `DamageError` naming the first file that is not what its checksum says."""
    for name, expected in checksums.items():
        try:
            found = of_file(folder / name)
        except FileNotFoundError:
            raise DamageError(f"{name} is missing") from None
        except OSError as error:
            raise DamageError(f"{name} cannot be read ({error.strerror})") from error
        if found != expected:
            raise DamageError(f"{name} is damaged: its checksum does not match")


def seal(record: Mapping[str, Any]) -> str:
    """A record as JSON text that is closed by its own checksum."""
    plain = json.loads(json.dumps(record))
    return json.dumps({**plain, _KEY: _of_record(plain)}, indent=1) + "\n"


def read_sealed(path: Path) -> dict[str, Any]:
    """The record in a file that `seal` made. Raises `DamageError`."""
    record = read_record(path)
    if _KEY not in record:
        raise DamageError(f"{path.name} has no checksum")
    del record[_KEY]
    return record


def read_record(path: Path) -> dict[str, Any]:
    """The JSON object in a file, which may be older than checksums, its checksum left in.

    Raises `DamageError` where it cannot be read or a checksum in it does not match.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DamageError(f"{path.name} is missing") from None
    except OSError as error:
        raise DamageError(f"{path.name} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DamageError(f"{path.name} is damaged: it is not JSON") from error
    if not isinstance(record, dict):
        raise DamageError(f"{path.name} is damaged: it must hold a JSON object")
    plain = {key: value for key, value in record.items() if key != _KEY}
    if _KEY in record and record[_KEY] != _of_record(plain):
        raise DamageError(f"{path.name} is damaged: its checksum does not match")
    return record


def _of_record(record: Mapping[str, Any]) -> str:
    """The checksum of the meaning, so that neither order nor layout count."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return f"{zlib.crc32(text.encode()):08x}"
