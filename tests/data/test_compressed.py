"""Tables inside zip and gz: one is found, nasty archives are refused before they do harm."""

from __future__ import annotations

import gzip
import io
import re
import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from bertsweep.data.tables.compressed import PackedFile
from bertsweep.errors import DataError
from tests.support.datafiles import prepared, questions, rows_of

FRAME = questions(40)
CSV = FRAME.to_csv(index=False).encode()


def zipped(folder: Path, members: dict[str, bytes], name: str = "rows.zip") -> str:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return str(path)


def test_a_gz_that_a_server_has_unpacked_is_read(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(CSV)
    assert len(rows_of(prepared(tmp_path, str(tmp_path / "rows.csv.gz")))) == 40


def test_a_csv_that_begins_with_pk_is_no_zip(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(CSV.replace(b"text,label", b"PK,label"))
    assert len(rows_of(prepared(tmp_path, str(path), text="PK"))) == 40


def test_what_is_no_table_does_not_count(tmp_path: Path) -> None:
    members = {
        "train.csv": CSV,
        "readme.md": b"read me",
        "__MACOSX/._train.csv": b"\x00",
        ".hidden.csv": b"x",
        "folder.csv/": b"",
    }
    assert len(rows_of(prepared(tmp_path, zipped(tmp_path, members)))) == 40


def test_a_zip_with_several_tables_wants_a_member(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"train.csv": CSV, "more/test.csv": b"text\nx\n", "notes.txt": b""})
    with pytest.raises(
        DataError,
        match=r"holds 2 files that could be meant: 'train\.csv', 'more/test\.csv'\. "
        r"Set data\.member to one of them, such as data\.member: train\.csv",
    ):
        prepared(tmp_path, path)
    assert len(rows_of(prepared(tmp_path, path, member="train.csv"))) == 40
    with pytest.raises(
        DataError, match=r"data\.member is 'trian\.csv', .*Did you mean 'train\.csv'"
    ):
        prepared(tmp_path, path, member="trian.csv")


def test_the_format_helps_to_choose(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"train.csv": CSV, "about.json": b"{}"})
    with pytest.raises(DataError, match=r"holds 2 files"):
        prepared(tmp_path, path)
    assert len(rows_of(prepared(tmp_path, path, format="csv"))) == 40
    path = zipped(tmp_path, {"about.txt": CSV}, "texts.zip")
    assert len(rows_of(prepared(tmp_path, path, format="csv"))) == 40
    path = zipped(tmp_path, {"train.data": CSV}, "other.zip")
    with pytest.raises(DataError, match=r"holds no table .* but 'train\.data'\. Set data\.member"):
        prepared(tmp_path, path)
    assert len(rows_of(prepared(tmp_path, path, format="csv"))) == 40


def test_a_member_of_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(CSV)
    with pytest.raises(DataError, match=r"but .*rows\.csv is neither\. Leave data\.member out"):
        prepared(tmp_path, str(tmp_path / "rows.csv"), member="a.csv")


@pytest.mark.parametrize(
    "name", ["../rows.csv", "/etc/rows.csv", "a/../../rows.csv", "C:/rows.csv", "..\\rows.csv"]
)
def test_a_zip_that_leads_outside_is_refused_whole(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path, {"train.csv": CSV, name: CSV})
    for member in (None, "train.csv"):
        with pytest.raises(DataError, match=re.escape(repr(name)) + r", which leads outside"):
            prepared(tmp_path, path, member=member)


def test_a_link_in_a_zip_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "rows.zip"
    link = zipfile.ZipInfo("train.csv")
    link.create_system = 3
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match=r"holds no table .* but nothing"):
        prepared(tmp_path, str(path))


def test_a_zip_of_a_zip_and_an_empty_zip_are_refused(tmp_path: Path) -> None:
    inner = Path(zipped(tmp_path, {"rows.csv": CSV}, "inner.zip")).read_bytes()
    path = zipped(tmp_path, {"rows.csv": inner})
    with pytest.raises(DataError, match=r"another zip, 'rows\.csv', inside\. Unpack it"):
        prepared(tmp_path, path)
    with pytest.raises(DataError, match=r"holds no table .* but nothing"):
        prepared(tmp_path, zipped(tmp_path, {}, "empty.zip"))


def test_a_zip_that_holds_a_file_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", CSV)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.csv", b"text,label\n")
    with pytest.raises(DataError, match=r"holds 'a\.csv' 2 times\. Unpack it"):
        prepared(tmp_path, str(path), member="a.csv")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = Path(zipped(tmp_path, {"rows.csv": CSV}))
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"rows\.csv in .*rows\.zip is encrypted"):
        prepared(tmp_path, str(path))


def test_what_unpacks_past_the_limit_is_refused(tmp_path: Path) -> None:
    bomb = CSV + b"x" * 20_000_000
    path = zipped(tmp_path, {"rows.csv": bomb})
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(bomb))
    said = r"unpacks to more than data\.max_unpacked_gb = 0\.01 GB\. If you trust it, set"
    for source in (path, str(tmp_path / "rows.csv.gz")):
        with pytest.raises(DataError, match=said):
            prepared(tmp_path, source, max_unpacked_gb=0.01)


def test_a_zip_that_lies_about_its_size_is_stopped_while_unpacking(tmp_path: Path) -> None:
    path = Path(zipped(tmp_path, {"rows.csv": CSV + b"x" * 20_000_000}))
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 1_000)  # the declared size
    path.write_bytes(content)
    file = PackedFile(path, "rows.zip", "auto", None, 0.01)
    scratch = io.BytesIO()
    with pytest.raises(DataError, match=r"unpack"), file.open() as opened:
        shutil.copyfileobj(opened.stream, scratch)
    assert scratch.tell() <= 10_000_000


@pytest.mark.parametrize("name", ["rows.zip", "rows.csv.gz"])
@pytest.mark.parametrize("harm", ["cut", "damage"])
def test_a_damaged_archive_is_named(tmp_path: Path, name: str, harm: str) -> None:
    noise = b"".join(b"%d text,%d\n" % (i * 7919, i % 2) for i in range(5_000))
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(CSV + noise))
    else:
        zipped(tmp_path, {"rows.csv": CSV + noise})
    content = path.read_bytes()
    if harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        checksum = zlib.crc32(CSV + noise).to_bytes(4, "little")
        path.write_bytes(content.replace(checksum, b"oops"))
    with pytest.raises(DataError, match=r"cannot be unpacked: .*damaged or cut off"):
        prepared(tmp_path, str(path))
