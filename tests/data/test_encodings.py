"""Text in other encodings than UTF-8 is recognised where that is sure enough, and told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bertsweep.errors import DataError
from tests.support.tables import read

FRENCH = "text,label\n" + "".join(
    f"Où est le café numéro {index} ? C’est là – à côté,{index % 2}\n" for index in range(20)
)
TEXTS = [line.rpartition(",")[0] for line in FRENCH.splitlines()[1:]]


def put(folder: Path, content: bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_a_byte_order_mark_decides(tmp_path: Path, encoding: str, name: str) -> None:
    content = FRENCH.encode(encoding)
    path = put(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    found = read(path)
    assert found.frame["text"].tolist() == TEXTS
    told = [note.message for note in found.notes]
    if encoding == "utf-8-sig":
        assert told == []
    else:
        assert told == [f"{name}: read as {encoding.upper()}, as its byte-order mark says."]


def test_windows_1252_is_taken_and_told(tmp_path: Path) -> None:
    found = read(put(tmp_path, FRENCH.encode("cp1252")))
    assert found.frame["text"].tolist() == TEXTS
    (note,) = found.notes
    assert note.kind == "encoding"
    assert "byte 0xf9 at position 12, line 2" in note.message
    assert "set data.table.encoding" in note.message


def test_every_text_format_may_have_an_encoding(tmp_path: Path) -> None:
    lines = put(tmp_path, "é\nè\n".encode("utf-16"), "a.txt")
    assert read(lines, label=None).frame["text"].tolist() == ["é", "è"]
    content = '{"text": "é", "label": 1}\n'
    for encoding in ("utf-16", "cp1252"):
        path = put(tmp_path, content.encode(encoding), "a.jsonl")
        assert read(path).frame["text"].tolist() == ["é"]
        path = put(tmp_path, f"[{content}]".encode(encoding), "a.json")
        assert read(path).frame["text"].tolist() == ["é"]


def test_an_encoding_can_be_stated(tmp_path: Path) -> None:
    russian = "text,label\nкак дела,1\nспасибо большое,0\n"
    for encoding in ("cp1251", "koi8-r", "utf-16-le", "utf-8"):
        found = read(put(tmp_path, russian.encode(encoding)), encoding=encoding)
        assert found.frame["text"].tolist() == ["как дела", "спасибо большое"]
        assert found.notes == ()
    marked = b"\xff\xfe" + russian.encode("utf-16-le")
    assert len(read(put(tmp_path, marked), encoding="utf-16-le").frame) == 2
    assert len(read(put(tmp_path, russian.encode("utf-8-sig")), encoding="utf-8").frame) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "text,label\nкак дела,1\nспасибо большое,0\n".encode("cp1251"),
            r"byte 0xea at position 11, line 2, and it is no Windows-1252 text.*encoding",
        ),
        (b"text,label\n" + b"a\x81b \xe9,1\n", r"byte 0x81 .* no Windows-1252 text"),
        (
            ("text,label\n" + "é,1\n" * 50).encode() + b"bad \xff,0\n",
            r"byte 0xff at position 265, line 52, among 50 other characters that are: .* damaged",
        ),
        (b"text,label\nok,1\ncaf\xc3", r"byte 0xc3 at position 19, line 3, .* seems to be cut off"),
        (
            "text,label\na,1\n".encode("utf-16-le"),
            r"looks like UTF-16-LE without one .* set data\.table\.encoding: utf-16-le",
        ),
        ("text,label\na,1\n".encode("utf-16-be"), r"data\.table\.encoding: utf-16-be"),
        (b"\xff\xfe" + "text,label\na\ud83d,1".encode("utf-16-le", "surrogatepass"), r"not utf-16"),
    ],
)
def test_what_is_not_sure_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(put(tmp_path, content))


def test_a_stated_encoding_that_is_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    path = put(tmp_path, "text,label\nok,1\ncafé,0\n".encode())
    with pytest.raises(DataError, match=r"rows\.csv, line 3: the text is not ascii .*encoding"):
        read(path, encoding="ascii")
    with pytest.raises(DataError, match=r"rows\.csv, line 1: the text is not utf-16 .*BOM"):
        read(put(tmp_path, b"text,label\n"), encoding="utf-16")


def test_a_fault_far_into_a_file_is_found(tmp_path: Path) -> None:
    good = ("text,label\n" + "a téxt,1\n" * 300_000).encode()
    path = put(tmp_path, good + b"bad \xff text,0\n")
    with pytest.raises(DataError, match=f"position {len(good) + 4:,}, line 300,002"):
        read(path)
