"""A checksum finds every flipped bit and every cut, and says which file it is in."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import pytest

from bertsweep import checksums
from bertsweep.checksums import DamageError
from tests.support.checkpoints import flipped_bits


def test_a_record_comes_back_whatever_it_holds(tmp_path: Path) -> None:
    record = {"b": [1, 2.5, None, True], "a": {"z\u2028ä\ud800": "x"}, "f": 0.1 + 0.2}
    path = tmp_path / "r.json"
    path.write_text(checksums.seal(record), encoding="utf-8")
    assert checksums.read_sealed(path) == record
    path.write_text(checksums.seal({"x": math.inf}), encoding="utf-8")
    assert checksums.read_sealed(path) == {"x": math.inf}


def test_no_flipped_bit_of_a_record_goes_unnoticed(tmp_path: Path) -> None:
    record = {"format": 2, "labels": ["yes", "no"], "threshold": 0.25}
    path = tmp_path / "r.json"
    path.write_text(checksums.seal(record), encoding="utf-8")
    for _ in flipped_bits(path, count=500):
        with contextlib.suppress(DamageError):
            assert checksums.read_sealed(path) == record, "white space may change"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "JSON object"),
        ('{"a": 1}', "no checksum"),
        ('{"a": 1, "checksum": 5}', "does not match"),
    ],
)
def test_what_is_no_sealed_record_is_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(DamageError, match=says):
        checksums.read_sealed(tmp_path / "r.json")


def test_a_damaged_cut_or_missing_file_is_named(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * 3_000_000)
    sums = checksums.of_files(tmp_path, "ab")
    checksums.check_files(tmp_path, sums)
    for _ in flipped_bits(tmp_path / "b", count=5):
        with pytest.raises(DamageError, match=r"^b is damaged"):
            checksums.check_files(tmp_path, sums)
    (tmp_path / "b").write_bytes(b"b" * 2_999_999)
    with pytest.raises(DamageError, match=r"^b is damaged"):
        checksums.check_files(tmp_path, sums)
    (tmp_path / "a").unlink()
    with pytest.raises(DamageError, match=r"^a is missing"):
        checksums.check_files(tmp_path, sums)
