"""Tables become datasets: csv dialects, JSON values, paths, and words for what cannot be read.

What all formats have in common is in `test_formats.py`, what is recognised in `test_dialects.py`
and `test_encodings.py`.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertsweep.errors import DataError
from tests.support.datafiles import odd, prepared, questions, rows_of, written
from tests.support.tables import read

WORDS = ["NA", "null", "None", "NaN", "n/a", "-", "#N/A", "1.50", "true"]


def put(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.one_of(TEXTS, st.sampled_from(WORDS)), min_size=1, max_size=5))
def test_whatever_text_a_csv_writer_writes_is_read_back(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, quoting=csv.QUOTE_ALL).writerows(
            [("id", "text", "label"), *((1, text, "x") for text in texts)]
        )
    frame = read(path).frame
    assert frame["text"].tolist() == texts


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text('ab",\n é', min_size=1, max_size=12), min_size=1, max_size=5))
def test_a_csv_reads_as_pandas_reads_it(tmp_path: Path, texts: list[str]) -> None:
    path = Path(written(tmp_path, pd.DataFrame({"text": texts, "label": "x"}), "any.csv"))
    ours = read(path).frame
    theirs = pd.read_csv(path, keep_default_na=False)
    assert ours["text"].tolist() == theirs["text"].tolist()


def test_a_corpus_tsv_keeps_its_stray_quotes(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.tsv", 'text\tlabel\n"Hi" he said\t0\n"never closed\t1\nplain\t0\n')
    frame = read(Path(path)).frame
    assert frame["text"].tolist() == ['"Hi" he said', '"never closed', "plain"]


def test_a_spreadsheet_tsv_loses_its_quotes(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.tsv", 'text\tlabel\n"two\nlines"\t0\n"a ""word"""\t1\nplain\t0\n')
    frame = read(Path(path)).frame
    assert frame["text"].tolist() == ["two\nlines", 'a "word"', "plain"]


def test_a_quoted_tsv_without_line_breaks_loses_its_quotes_too(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.tsv", 'text\tlabel\n"a ""word"""\t1\nplain\t0\n')
    frame = read(Path(path)).frame
    assert frame["text"].tolist() == ['a "word"', "plain"]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    frame = questions(40)
    path = tmp_path / "rows.csv"
    frame.to_csv(path, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_ALL)
    assert len(rows_of(prepared(tmp_path, str(path)))) == 40
    lines = "\n".join(json.dumps(row) for row in frame.to_dict("records"))
    path = Path(put(tmp_path, "rows.jsonl", b"\xef\xbb\xbf" + lines.encode()))
    assert len(rows_of(prepared(tmp_path, str(path)))) == 40


def test_blank_lines_and_short_rows_are_no_rows(tmp_path: Path) -> None:
    text = questions(40).to_csv(index=False) + "\n\na row without label\n"
    dataset = prepared(tmp_path, put(tmp_path, "rows.csv", text))
    assert len(rows_of(dataset)) == 40
    assert [(note.kind, note.count) for note in odd(dataset)] == [
        ("short_rows", 1),
        ("empty_label", 1),
    ]
    assert "the one at line 44" in odd(dataset)[0].message


def test_other_columns_and_names_are_as_the_file_says(tmp_path: Path) -> None:
    frame = questions(40).rename(columns={"text": "question_text", "label": "target"})
    frame.insert(0, "qid", range(40))
    dataset = prepared(tmp_path, written(tmp_path, frame), text="question_text", label="target")
    assert list(dataset.splits["train"].columns) == ["text", "label"]


def test_pairs_have_two_texts(tmp_path: Path) -> None:
    frame = questions(40)
    frame["other"] = frame["text"].str.upper()
    dataset = prepared(tmp_path, written(tmp_path, frame), text=["text", "other"])
    train = dataset.splits["train"]
    assert dataset.pairs
    assert train["text_b"].tolist() == [text.upper() for text in train["text"]]


def test_json_values_become_text(tmp_path: Path) -> None:
    rows = [{"text": f"row {index}", "label": index % 2 == 0} for index in range(40)]
    special = [
        {"text": 12, "label": True},
        {"text": None, "label": True},
        {"label": False},
        {"text": "no label", "label": None},
        {"text": "half \ud83d a smile", "label": True},
        {"text": "whole 😀", "label": False},
    ]
    lines = "\n".join(json.dumps(row) for row in rows + special)
    dataset = prepared(tmp_path, put(tmp_path, "rows.jsonl", lines))
    assert dataset.labels == (False, True)
    texts = {text for text, _ in rows_of(dataset)}
    assert {"12", "half \ufffd a smile", "whole 😀"} <= texts
    assert {note.kind: note.count for note in odd(dataset)} == {"empty_text": 2, "empty_label": 1}


def test_parquet_types_become_text(tmp_path: Path) -> None:
    frame = questions(40)
    frame["text"] = frame["text"].astype("category")
    frame["label"] = [None if index == 0 else float(index % 2) for index in range(40)]
    frame.to_parquet(tmp_path / "rows.parquet")
    dataset = prepared(tmp_path, str(tmp_path / "rows.parquet"))
    assert dataset.labels == (0, 1)
    assert [(note.kind, note.count) for note in odd(dataset)] == [("empty_label", 1)]


def test_a_format_can_be_said(tmp_path: Path) -> None:
    text = questions(40).to_csv(index=False, sep="\t")
    for name, said in (("rows", r"'rows'.*\.csv.*Set data\.format"), ("a.txt", "data.format to")):
        path = put(tmp_path, name, text)
        assert len(rows_of(prepared(tmp_path, path, format="tsv"))) == 40
        with pytest.raises(DataError, match=said):
            prepared(tmp_path, path)


def test_progress_is_told_while_reading(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    path = written(tmp_path, questions(45_000))
    prepared(tmp_path, path, progress=lambda *step: told.append(step))
    size = Path(path).stat().st_size
    assert [what for what, _, _ in told] == ["reading rows.csv"] * 2
    assert all(0 < done <= size and total == size for _, done, total in told)


def test_a_relative_path_is_looked_for_here_and_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    written(tmp_path, questions(40))
    assert len(rows_of(prepared(tmp_path, "rows.csv"))) == 40
    written(here, questions(60))
    assert len(rows_of(prepared(tmp_path, "rows.csv"))) == 60
    with pytest.raises(DataError) as error:
        prepared(tmp_path, "row.csv")
    assert f"{here / 'row.csv'} and {tmp_path / 'row.csv'}" in str(error.value)
    assert f"Did you mean {here / 'rows.csv'}?" in str(error.value)
    with pytest.raises(
        DataError, match=r"is a folder without one\. Give a file in it, such as .*rows\.csv"
    ):
        prepared(tmp_path, str(here))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "text,label\nI, you,0\n", r"a\.csv, line 2: .*header \(2\), but .*has 3.*Quote"),
        ("a.csv", 'text,label\nok,0\n"open,1\nx,0\n', r"begins at line 3 and never closed.*twice"),
        ("a.csv", 'text,label\nok,0\nx,"1\n', r"begins at line 3 and never closed"),
        ("a.csv", '"text,label\nok,0\n', r"begins at line 1 and never closed"),
        ("a.csv", "", r"a\.csv is empty"),
        ("a.csv", "text,label\n", r"no row has both .* \(0 rows read\).*data\.text"),
        ("a.csv", "text,label,text\na,b,c\n", r"2 columns called 'text'.*Rename"),
        (
            "a.csv",
            "Txt,Label\na,b\n",
            r"data\.text names .*'text'.* 'Txt', 'Label'.*data\.text: Txt",
        ),
        (
            "a.csv",
            "text,Label\na,b\n",
            r"data\.label names .*'label'.*Did you mean data\.label: Label",
        ),
        ("a.csv", "qq,zz\na,b\n", r"columns 'qq', 'zz'\. Set data\.text to one of them"),
        ("a.tsv", "text\tlabel\na\tb\tc\n", r"a\.tsv, line 2: .*has 3"),
        ("a.csv", b"text,label\nok,1\xc3", r"byte 0xc3 at position 15, line 2"),
        ("a.jsonl", b'{"text": "a", "label": 1}\n{"text": "\x81"}\n', r"position 36, line 2"),
        (
            "a.jsonl",
            '{"text": "a", "label": 1}\n{"text"\n',
            r"line 2: .*not JSON \(Expecting.*one obj",
        ),
        ("a.jsonl", "[\n", r"line 2: each item of the array must be one JSON object"),
        ("a.jsonl", '"text"\n', r"line 1: each line must be one JSON object, .* is a str\."),
        ("a.jsonl", '{"text": ["a"], "label": 1}\n', r"line 1: 'text' must be a text.*got a list"),
        (
            "a.jsonl",
            '{"txt": "a", "label": 1}\n',
            r"columns 'txt', 'label'\. Did you mean data\.text",
        ),
        ("a.jsonl", "\n", r"a\.jsonl is empty"),
        ("a.parquet", b"PAR1 nothing", r"not a readable parquet file"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(DataError, match=f"(?s){said}"):
        prepared(tmp_path, put(tmp_path, name, content))


def test_one_column_cannot_be_two_things(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"different columns, but got \['text'\] and 'text'"):
        prepared(tmp_path, written(tmp_path, questions(40)), label="text")


def test_an_unknown_kind_of_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"http, https, s3.*'ftp://host/rows\.csv'.*or a path"):
        prepared(tmp_path, "ftp://me:secret@host/rows.csv")
