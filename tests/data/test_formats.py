"""What every table format must do, one contract for all, and what is peculiar to some."""

from __future__ import annotations

import gzip
import json
import random
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from bertsweep.data.tables.compressed import Unpacked
from bertsweep.data.tables.read import READERS
from bertsweep.errors import DataError, MissingPackageError
from tests.support import tables
from tests.support.datafiles import prepared, questions, rows_of, written
from tests.support.tables import Row, read

ODD = ["NA", "null", "None", "#N/A", "1.50", "true", 'She said "why, oh why"', "日本語, naïve"]
ODD += ["two\nlines", "a\\b", "=1+1", "  spaces  ", "_x000D_"]


def made(rows: int) -> list[Row]:
    """Rows of which the first hold texts that readers like to change."""
    texts = [*ODD, *(f"Is number {index} a good one?" for index in range(rows))][:rows]
    return [
        {"id": str(index), "text": text, "label": "yes" if index % 3 else "no"}
        for index, text in enumerate(texts)
    ]


class Contract:
    """What a format must do. A subclass says how rows are written in it and what it is called."""

    name: ClassVar[str]
    write: ClassVar[Callable[[list[Row]], bytes]]
    loses: ClassVar[dict[str, str]] = {}
    """Texts that the writer of the format itself changes."""
    broken: ClassVar[bytes] = b"PAR1 nothing"
    """Bytes that are no such table."""

    def put(self, folder: Path, rows: list[Row]) -> Path:
        path = folder / self.name
        path.write_bytes(type(self).write(rows))
        return path

    def test_returns_every_text_as_it_is(self, tmp_path: Path) -> None:
        rows = made(40)
        found = read(self.put(tmp_path, rows))
        texts = [self.loses.get(row["text"], row["text"]) for row in rows]
        assert found.frame["text"].tolist() == texts
        assert found.frame["label"].tolist() == [row["label"] for row in rows]
        assert found.notes == ()

    def test_is_the_same_dataset_as_a_csv(self, tmp_path: Path) -> None:
        frame = questions(60, classes=("no", "yes"))
        rows = [{"text": t, "label": v} for t, v in zip(frame["text"], frame["label"], strict=True)]
        dataset = prepared(tmp_path, str(self.put(tmp_path, rows)))
        assert dataset.hash == prepared(tmp_path, written(tmp_path, frame, "other.csv")).hash
        assert dataset.labels == ("no", "yes")

    def test_reads_labels_only_where_they_are_wanted(self, tmp_path: Path) -> None:
        found = read(self.put(tmp_path, made(3)), ("text", "id"), None).frame
        assert list(found) == ["text", "text_b"]
        assert found["text_b"].tolist() == ["0", "1", "2"]

    @pytest.mark.parametrize("pack", ["gz", "zip", "gz in zip"])
    def test_reads_itself_out_of_a_package(self, tmp_path: Path, pack: str) -> None:
        content = type(self).write(made(40))
        path = tmp_path / (f"{self.name}.gz" if pack == "gz" else "rows.zip")
        if pack == "gz":
            path.write_bytes(gzip.compress(content))
        else:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                inner = f"data/{self.name}" + (".gz" if pack == "gz in zip" else "")
                archive.writestr(inner, gzip.compress(content) if inner[-3:] == ".gz" else content)
        assert len(read(path).frame) == 40
        assert [each.name for each in tmp_path.iterdir()] == [path.name]

    def test_names_a_missing_column_and_the_nearest(self, tmp_path: Path) -> None:
        path = self.put(tmp_path, made(3))
        with pytest.raises(DataError, match=r"data\.text .*'txt'.*'id', 'text', 'label'.*: text\?"):
            read(path, "txt")
        with pytest.raises(DataError, match=r"data\.label names the column 'target'"):
            read(path, label="target")

    def test_says_that_an_empty_file_is_empty(self, tmp_path: Path) -> None:
        path = tmp_path / self.name
        path.write_bytes(b"")
        with pytest.raises(DataError, match=r"is empty|is not a readable"):
            read(path)

    def test_has_no_rows_where_there_are_none(self, tmp_path: Path) -> None:
        if self.name.endswith((".jsonl", ".json")):
            pytest.skip("names of columns stand in the rows alone")
        assert read(self.put(tmp_path, [])).frame.empty

    def test_refuses_broken_bytes_with_a_sentence(self, tmp_path: Path) -> None:
        path = tmp_path / self.name
        path.write_bytes(self.broken)
        with pytest.raises(DataError, match=rf"{self.name}.*\. [A-Z]"):
            read(path)

    def test_has_a_sentence_for_every_damage(self, tmp_path: Path) -> None:
        """Only `DataError` is raised, whatever a few wrong, missing or doubled bytes do."""
        whole, chance = type(self).write(made(20)), random.Random(self.name)
        path, refused = tmp_path / self.name, 0
        for _ in range(150):
            content = bytearray(whole)
            for place in (chance.randrange(len(content)) for _ in range(chance.choice([1, 3, 20]))):
                content[place : place + chance.choice([0, 1, 4])] = chance.choice(
                    [chance.randbytes(1), b"", b'"', b"\xc3", bytes(content[place : place + 9])]
                )
            path.write_bytes(content)
            try:
                read(path)
            except DataError:
                refused += 1
        assert refused

    def test_says_how_far_it_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("delimited", "jsonl", "xlsx"):
            monkeypatch.setattr(f"bertsweep.data.tables.{module}.TICK_ROWS", 50)
        told: list[tuple[int, int]] = []

        def tick(opened: Unpacked) -> None:
            told.append((opened.raw.tell(), opened.size))

        path = self.put(tmp_path, made(200))
        read(path, tick=tick)
        assert told
        assert all(0 <= done <= size == path.stat().st_size for done, size in told)


class TestCsv(Contract):
    name = "rows.csv"
    write = staticmethod(tables.csv_bytes)
    broken = b"text,label\nok,1\xc3"


class TestTsv(Contract):
    name = "rows.tsv"
    write = staticmethod(tables.tsv_bytes)
    broken = b"text\tlabel\nok\t1\t2\n"


class TestJsonLines(Contract):
    name = "rows.jsonl"
    write = staticmethod(tables.jsonl_bytes)
    broken = b'{"text": "a", "label": 1}\n{"text"\n'


class TestJsonArray(Contract):
    name = "rows.json"
    write = staticmethod(tables.json_bytes)
    broken = b'[{"text": "a", "label": 1}, {"text"]\n'


class TestParquet(Contract):
    name = "rows.parquet"
    write = staticmethod(tables.parquet_bytes)


class TestArrowStream(Contract):
    name = "rows.arrow"
    write = staticmethod(tables.arrow_stream_bytes)


class TestArrowFile(Contract):
    name = "rows.feather"
    write = staticmethod(tables.arrow_file_bytes)
    broken = b"ARROW1 nothing"


class TestXlsx(Contract):
    name = "rows.xlsx"
    write = staticmethod(tables.xlsx_bytes)
    loses: ClassVar = {"=1+1": "", "_x000D_": "\r"}
    broken = b"PK\x03\x04 nothing"


def test_every_format_keeps_the_contract() -> None:
    names = {each.name.rpartition(".")[2] for each in Contract.__subclasses__()}
    assert names == {*READERS, "feather"} - {"txt"}


# --- JSON --------------------------------------------------------------------------------------


def test_an_array_is_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bertsweep.data.tables import json_array

    rows = [{"text": f'text {index} 😀 \\ "', "label": index} for index in range(300)]
    path = tmp_path / "rows.json"
    for size in (1, 7, 64, 1_000):
        monkeypatch.setattr(json_array, "_PIECE", size)
        for indent in (None, 2):
            path.write_text("\n\n " + json.dumps(rows, indent=indent) + "\n")
            assert read(path).frame["text"].tolist() == [row["text"] for row in rows]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"text": "a", "label": 1},\n{"text": "b" "label": 1}]', r"line 2: not JSON \(Expecting"),
        ('[{"text": "a", "label": 1},\n 5]', r"line 2: each item .* one JSON object"),
        ('[{"text": "a", "label": 1}\n', r"line 2: '\]' must stand here"),
        ('[\n{"text": "a", "label": [1]}]', r"line 2: 'label' must be a text.*got a list"),
        ('[{"text": "a", "label": 1}]\n{}', r"line 2: nothing may follow"),
        ("[]", r"is empty"),
        ('{"data": [1]}', r"columns 'data'"),
        ('[{"text": ' + "[" * 100_000, r"line 1: not JSON \(nested too deep\)"),
    ],
)
def test_what_is_wrong_in_an_array_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        read(path)


def test_a_fault_in_a_long_array_is_found_without_reading_on(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[{"text": "a" 1}' + ',{"text": "b", "label": 1}' * 200_000 + "]")
    told: list[int] = []
    with pytest.raises(DataError, match="line 1: not JSON"):
        read(path, tick=lambda opened: told.append(opened.raw.tell()))
    assert told == []


def test_column_names_of_broken_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.arrow"
    path.write_bytes(tables.arrow_stream_bytes(made(3)).replace(b"label", b"lab\xffl"))
    with pytest.raises(DataError, match=r"is not a readable arrow file"):
        read(path)


# --- Excel -------------------------------------------------------------------------------------


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


ROWS: list[list[object]] = [["text", "label"], ["a", 1], [None, None], ["b", 2.5], ["c", True]]


def test_a_sheet_keeps_blank_rows_but_the_last(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", rows=[*ROWS, [None, None], ["", None]])
    found = read(path).frame
    assert found["text"].tolist() == ["a", "", "b", "c"]
    assert found["label"].tolist() == ["1", "", "2.5", "true"]


def test_a_sheet_without_a_header_is_read_by_numbers_or_names(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", rows=ROWS[1:])
    assert read(path, 1, 2, header=False).frame["text"].tolist() == ["a", "", "b", "c"]
    named = read(path, "b", "a", header=False, columns=["a", "b"]).frame
    assert named["label"].tolist() == ["a", "", "b", "c"]


def test_of_several_sheets_one_is_chosen(tmp_path: Path) -> None:
    path = str(workbook(tmp_path / "a.xlsx", notes=[["x"]], rows=ROWS))
    with pytest.raises(DataError, match=r"2 sheets: .*'notes', 'rows'.*data\.member: notes"):
        prepared(tmp_path, path)
    with pytest.raises(DataError, match=r"data\.member is 'row', .*Did you mean 'rows'\?"):
        prepared(tmp_path, path, member="row")
    more = [["text", "label"], *([f"text {index}", index % 2] for index in range(40))]
    path = str(workbook(tmp_path / "b.xlsx", notes=[["x"]], rows=more))
    assert len(rows_of(prepared(tmp_path, path, member="rows"))) == 40


def test_a_workbook_is_known_by_its_content(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", rows=ROWS).rename(tmp_path / "download.csv")
    assert len(read(path).frame) == 4
    with pytest.raises(DataError, match=r"is an Excel workbook, but data\.format is csv"):
        prepared(tmp_path, str(path), format="csv")


def test_a_workbook_that_unpacks_past_the_limit_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", rows=[["text", "label"], *[["x" * 30_000, 1]] * 200])
    with pytest.raises(DataError, match=r"unpacks to more than data\.max_unpacked_gb = 0\.001 GB"):
        prepared(tmp_path, str(path), max_unpacked_gb=0.001)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "a.xlsx", rows=ROWS)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingPackageError, match=r"needs the package openpyxl\. .*`pip install"):
        read(path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.xls", "workbook of an old kind. Save it as .xlsx"),
        ("a.ods", "no Excel workbook"),
        ("a.pkl", "a pickle, which may run any code"),
        ("a.tar", "packed in a way that is not read; zip and gz are"),
    ],
)
def test_what_is_never_read_is_named(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=said):
        read(tmp_path / name)


# --- one text a line ---------------------------------------------------------------------------


def test_a_blank_line_is_a_text_and_strange_line_ends_are_none(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes("\ufeffone\r\n\r\nthr\u2028ee\n\x0cfour".encode())
    assert read(path, label=None).frame["text"].tolist() == ["one", "", "thr\u2028ee", "\x0cfour"]


def test_texts_of_one_a_line_have_neither_labels_nor_a_second_text(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("one\n")
    with pytest.raises(DataError, match=r"holds no labels\. Set data\.labels .* or data\.format"):
        read(path)
    with pytest.raises(DataError, match=r"names the columns 'a' and 'b'\. Give a table"):
        read(path, ("a", "b"), None)


# --- columns of Arrow memory -------------------------------------------------------------------


def test_every_plain_arrow_type_becomes_text(tmp_path: Path) -> None:
    values = {
        "a": pa.array(["x", None]).dictionary_encode(),
        "b": pa.array([1.5, float("nan")]),
        "c": pa.array([True, None]),
        "d": pa.array([b"x", None]),
        "e": pa.array(["x", None], pa.large_string()),
        "f": pa.array([7, None], pa.uint8()),
    }
    path = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(pa.table(values), path)
    found = [read(path, name, None).frame["text"].tolist() for name in values]
    assert found == [["x", ""], ["1.5", ""], ["true", ""], ["x", ""], ["x", ""], ["7", ""]]


def test_columns_of_lists_or_broken_text_are_refused(tmp_path: Path) -> None:
    for name, write in (
        ("a.parquet", pa.parquet.write_table),
        ("a.feather", pa.feather.write_feather),
    ):
        path = tmp_path / name
        write(pa.table({"text": [["a"], ["b"]], "label": [0, 1]}), path)
        with pytest.raises(DataError, match=r"'text' in .* its type is list.*one value a row"):
            read(path)
        write(pa.table({"text": [b"ok", b"\xff"], "label": [0, 1]}), path)
        with pytest.raises(DataError, match=r"must be UTF-8, but 'text' in"):
            read(path)
