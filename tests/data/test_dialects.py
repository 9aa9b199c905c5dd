"""Tables as people really publish them: what is not stated is recognised, and told."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from bertsweep.data.tables.rows import TableRows
from bertsweep.errors import DataError
from tests.support.datafiles import prepared, rows_of
from tests.support.tables import read


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def kinds(rows: TableRows) -> list[str]:
    return [note.kind for note in rows.notes]


# --- formats of well-known corpora, with rows made up here --------------------------------------


def test_cola_is_a_tsv_of_four_columns_without_a_header(tmp_path: Path) -> None:
    lines = [
        "zz01\t1\t\tThe baker sold me two loaves.",
        "zz01\t0\t*\tThe baker sold two me loaves.",
        'zz02\t1\t\t"Loaves," said the baker.',
        'zz03\t0\t*\tBaker the "said" it.',
    ]
    path = put(tmp_path, "in_domain_train.tsv", "\n".join(lines) + "\n")
    found = read(path, 4, 2, header=False)
    assert found.frame["text"].tolist() == [line.split("\t")[3] for line in lines]
    assert found.frame["label"].tolist() == ["1", "0", "1", "0"]
    assert found.notes == ()
    with pytest.raises(DataError) as error:
        read(path)
    said = str(error.value)
    assert "'zz01', '1', '', 'The baker sold me two loaves.'" in said
    assert "looks like data" in said
    assert "data.table.header: false" in said
    assert "data.text: 4" in said
    assert len(said) < 400


def test_sms_spam_has_no_ending_no_header_and_stray_quotes(tmp_path: Path) -> None:
    lines = [
        "ham\tOk... see you at 8, bring the blue cup",
        'ham\t"Yes I will" is what he said',
        'spam\t"WINNER!! Call 000 now to claim',
        "ham\tIt's 5\" wide, isn't it?",
    ]
    path = put(tmp_path, "SMSSpamCollection", "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"does not say its format.*data\.format"):
        prepared(tmp_path, str(path))
    dataset = prepared(
        tmp_path,
        str(
            put(
                tmp_path,
                "more",
                "\n".join([*lines, *(f"{'spam' if i % 2 else 'ham'}\tbuy {i}" for i in range(36))]),
            )
        ),
        format="tsv",
        table={"header": False},
        text=2,
        label=1,
    )
    assert {tuple(line.split("\t")) for line in lines} <= {(b, a) for a, b in rows_of(dataset)}


def gnad(rows: list[tuple[str, str]]) -> str:
    sink = io.StringIO()
    csv.writer(sink, delimiter=";", quotechar="'", lineterminator="\n").writerows(rows)
    return sink.getvalue()


GERMAN = [
    ("Sport", "Das Spiel endete 2:1; die Stürmer, allen voran der Kapitän, jubelten."),
    ("Web", 'Ein neues Telefon – mit "Notch" – kommt im Herbst.'),
    ("Etat", "Der Sender sagt: 'Wir senden weiter.'"),
    ("Sport", "Kurz und gut"),
]


def test_10kgnad_is_separated_by_semicolons_and_quoted_singly(tmp_path: Path) -> None:
    path = put(tmp_path, "train.csv", gnad(GERMAN))
    found = read(path, 2, 1, header=False)
    assert list(zip(found.frame["label"], found.frame["text"], strict=True)) == GERMAN
    assert kinds(found) == ["separator", "quote"]
    assert "separated by semicolons" in found.notes[0].message
    assert "set data.table.separator" in found.notes[0].message
    assert "quoted with '" in found.notes[1].message
    stated = read(path, 2, 1, header=False, separator=";", quote="'")
    assert stated.frame.equals(found.frame)
    assert stated.notes == ()


def test_ag_news_is_a_csv_without_a_header_and_keeps_its_backslashes(tmp_path: Path) -> None:
    text = (
        '"3","Bakers rise (Wire)","Wire - Bakers, a band of\\early risers, rise ""again""."\n'
        '"4","Cups get \\$5 dearer","A cup of tea, C:\\new, costs more."\n'
        '"3","Short","Nothing \\to see here\\"\n'
    )
    found = read(put(tmp_path, "train.csv", text), (2, 3), 1, header=False)
    assert found.frame["label"].tolist() == ["3", "4", "3"]
    assert found.frame["text_b"].tolist() == [
        'Wire - Bakers, a band of\\early risers, rise "again".',
        "A cup of tea, C:\\new, costs more.",
        "Nothing \\to see here\\",
    ]
    assert found.notes == ()


def test_tweeteval_has_a_file_of_texts_and_one_of_labels(tmp_path: Path) -> None:
    texts = [f'a tweet, number {index} "😀" @user' for index in range(40)]
    for split, some in (("train", texts[:30]), ("test", texts[30:])):
        put(tmp_path, f"{split}_text.txt", "".join(f"{text}\n" for text in some))
        labels = (str(texts.index(text) % 3) for text in some)
        put(tmp_path, f"{split}_labels.txt", "".join(f"{label}\n" for label in labels))
    dataset = prepared(
        tmp_path,
        {"train": "train_text.txt", "test": "test_text.txt"},
        labels={"train": "train_labels.txt", "test": "test_labels.txt"},
    )
    assert rows_of(dataset) == {(text, index % 3) for index, text in enumerate(texts)}
    assert len(dataset.splits["test"]) == 10
    put(tmp_path, "test_labels.txt", "0\n1\n")
    with pytest.raises(DataError, match=r"test_labels\.txt must have a label .* 2 lines .* are 10"):
        prepared(
            tmp_path,
            {"train": "train_text.txt", "test": "test_text.txt"},
            labels={"train": "train_labels.txt", "test": "test_labels.txt"},
        )


def test_labels_do_not_go_with_a_table(tmp_path: Path) -> None:
    put(tmp_path, "rows.csv", "text,label\na,1\n")
    put(tmp_path, "labels.txt", "1\n")
    with pytest.raises(DataError, match=r"goes with texts of one a line, but rows\.csv is csv"):
        prepared(tmp_path, "rows.csv", labels="labels.txt")


# --- separators ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("mark", "called"), [("\t", "tabs"), (";", "semicolons"), ("|", "bars")])
def test_another_separator_is_recognised_by_the_header(
    tmp_path: Path, mark: str, called: str
) -> None:
    rows = [f"one, two{mark}0", f'"quoted{mark} too"{mark}1', f"three{mark}0"]
    path = put(tmp_path, "rows.csv", "\n".join([f"text{mark}label", *rows]))
    found = read(path)
    assert found.frame["text"].tolist() == ["one, two", f"quoted{mark} too", "three"]
    assert [(note.kind, called in note.message) for note in found.notes] == [("separator", True)]


def test_commas_in_a_tsv_are_recognised_too(tmp_path: Path) -> None:
    found = read(put(tmp_path, "rows.tsv", "text,label\na;b,0\n"))
    assert found.frame["text"].tolist() == ["a;b"]
    assert kinds(found) == ["separator"]


def test_one_column_stays_one_column(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", "text\nHello; world\nSo | what\n")
    found = read(path, label=None)
    assert found.frame["text"].tolist() == ["Hello; world", "So | what"]
    assert found.notes == ()


def test_the_usual_separator_is_kept_where_the_header_has_it(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", "text;score,label\na;1,0\n")
    assert read(path, "text;score").frame["text"].tolist() == ["a;1"]


def test_where_two_separators_would_do_none_is_guessed(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", "text;id|label\na;1|0\n")
    with pytest.raises(DataError, match=r"'text;id\|label'\. If .* set data\.table\.separator"):
        read(path)
    assert read(path, "text;id", separator="|").frame["label"].tolist() == ["0"]


def test_a_stated_separator_needs_no_note(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", "text:label\na, b:0\n")
    found = read(path, separator=":")
    assert found.frame["text"].tolist() == ["a, b"]
    assert found.notes == ()
    tabs = put(tmp_path, "tabs.csv", 'text\tlabel\n"so" he said\t0\n')
    assert read(tabs, separator="tab").frame["text"].tolist() == ['"so" he said']


# --- quotes -------------------------------------------------------------------------------------


def test_single_quotes_are_recognised_where_rows_fit_only_with_them(tmp_path: Path) -> None:
    found = read(put(tmp_path, "rows.csv", "text,label\n'one, two',0\nthree,1\n"))
    assert found.frame["text"].tolist() == ["one, two", "three"]
    assert kinds(found) == ["quote"]


@pytest.mark.parametrize(
    "text", ["'Tis the season,0\nso, it is,1\n", "'quoted',0\nplain,1\n", "it''s,0\n'a',1\n"]
)
def test_an_apostrophe_is_no_quote(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, "rows.csv", "text,label\n" + text)
    if "so, it" in text:
        with pytest.raises(DataError, match=r"line 3: a row must not have more fields"):
            read(path)
    else:
        found = read(path)
        assert found.frame["text"].tolist() == [line[:-2] for line in text.splitlines()]
        assert found.notes == ()


def test_quotes_may_be_said_to_be_none(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", 'text,label\n"open,0\n"all" of it,1\n')
    assert read(path, quote="none").frame["text"].tolist() == ['"open', '"all" of it']


def test_a_stray_quote_is_told(tmp_path: Path) -> None:
    found = read(put(tmp_path, "rows.csv", 'text,label\nfine,1\n"so" he said,0\n"a, b",1\n'))
    assert found.frame["text"].tolist() == ["fine", "so he said", "a, b"]
    (note,) = found.notes
    assert (note.kind, "line 3" in note.message) == ("stray_quotes", True)
    assert "data.table.quote: none" in note.message


def test_a_tsv_may_quote_its_header(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.tsv", '"text"\t"label"\n"a ""b"""\t"0"\n')
    found = read(path)
    assert found.frame.to_dict("list") == {"text": ['a "b"'], "label": ["0"]}


# --- escapes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";"])
def test_quotes_with_a_backslash_before_them_are_recognised(tmp_path: Path, mark: str) -> None:
    lines = [
        f"text{mark}label",
        f'"He said \\"why{mark} oh why\\" to me"{mark}1',
        f'"ends with \\""{mark}0',
        f'"C:\\new and \\\\ stay"{mark}1',
        f"plain \\ text{mark}0",
    ]
    found = read(put(tmp_path, "rows.csv", "\n".join(lines) + "\n"))
    assert found.frame["text"].tolist() == [
        f'He said "why{mark} oh why" to me',
        'ends with "',
        "C:\\new and \\ stay",
        "plain \\ text",
    ]
    assert kinds(found)[-1] == "escape"
    assert "data.table.escape" in found.notes[-1].message


def test_quotes_with_a_backslash_before_them_are_recognised_in_a_tsv(tmp_path: Path) -> None:
    found = read(put(tmp_path, "rows.tsv", 'text\tlabel\n"so \\"what\\" \\n"\t0\nplain\t1\n'))
    assert found.frame["text"].tolist() == ['so "what" \\n', "plain"]
    assert kinds(found) == ["escape"]


def test_what_python_writes_with_an_escape_is_read_back(tmp_path: Path) -> None:
    texts = ['a "word"', "a, b", "back\\slash", 'end"', '"', "two\nlines", '\\"', "\\"]
    sink = io.StringIO()
    csv.writer(sink, escapechar="\\", doublequote=False, lineterminator="\n").writerows(
        [("text", "label"), *((text, 1) for text in texts)]
    )
    path = put(tmp_path, "rows.csv", sink.getvalue())
    for table in ({}, {"escape": "\\"}):
        assert read(path, **table).frame["text"].tolist() == texts


def test_an_escape_can_be_denied(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", 'text,label\n"so \\"what\\"",0\n')
    assert kinds(read(path, escape="none")) == ["stray_quotes"]


# --- header and columns -------------------------------------------------------------------------


def test_columns_may_be_named(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", "0,a,x\n1,b,y\n")
    found = read(path, "text", "target", header=False, columns=["target", "text", "more"])
    assert found.frame.to_dict("list") == {"text": ["a", "b"], "label": ["0", "1"]}
    with pytest.raises(DataError, match=r"columns names 2 columns, but the first row .* 3 fields"):
        read(path, "text", "target", header=False, columns=["target", "text"])


def test_a_number_must_be_one_of_a_column(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", "0,a\n1,b\n")
    with pytest.raises(
        DataError, match=r"data\.text is column 3, but rows\.csv has 2 in its first"
    ):
        read(path, 3, 1, header=False)
    with pytest.raises(DataError, match=r"must be different columns"):
        read(path, "a", 1, header=False, columns=["a", "b"])


def test_a_long_row_names_the_first_row(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", "0,a\n1,b\n0,c,d\n")
    with pytest.raises(
        DataError, match=r"line 3: .* more fields than the first row \(2\), .* has 3"
    ):
        read(path, 2, 1, header=False)


def test_a_wall_of_columns_is_cut(tmp_path: Path) -> None:
    header = [f"a column with a name that is rather long, number {index}" for index in range(300)]
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerow(header)
    with pytest.raises(DataError) as error:
        read(path)
    assert "and 280 more" in str(error.value)
    assert len(str(error.value)) < 1_000


def test_settings_without_effect_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.jsonl", '{"text": "a", "label": 1}\n')
    with pytest.raises(
        DataError, match=r"data\.table\.separator has no effect on .*, which is jso"
    ):
        prepared(tmp_path, str(path), table={"separator": ";"})
