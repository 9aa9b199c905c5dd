"""Word pieces are those of Model Garden's `FullTokenizer`, to the last character of Unicode."""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsweep.encoders import tiny
from bertsweep.tokens import WordPieces, wordpieces

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789.,?!'-" + "éñßıİΣσςДд中文ไทยน้ำ한가हि"
NASTY = [
    "",
    " \t\r\n\x0b\x0c\x1c\x1f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000",
    "a\x00b\x01c\x7fd\x80e\ufffdf\u200bg\u200dh\ufeffi\xadj\u2060k",
    "cafe\u0301 CAFÉ é\u0301 e\u0301\u0323 a\u0327\u0301\u0308 x\u0338",
    "Ελληνικός ΣΑΣ Σ ΑΣ. ΑΣ\u0301 ΑΣ\u00ad ΑΣa ὈΔΥΣΣΕΎΣ",
    "İstanbul ISTANBUL ıi STRASSE Straße ẞ ǅ ﬁ ŉ",
    "汉字漢字 中文English混合 豈 𠀀 𪜀 𫝀 𫠠 丽 々〆〇",
    "ภาษาไทย น้ำ หนึ่ง हिन्दी क्षि தமிழ் မြန်မာ ភាសាខ្មែរ 한국어 가나다",
    "👩‍👩‍👧‍👦 👍🏽 🇩🇪 ☺️ 🏴\U000e0067\U000e0062\U000e007f",
    "\ue000\uf8ff\U000f0000\U0010fffd \ufdd0\uffff \U0001fae8\U0001faf7 \U00031350",
    "؟ ، « » „“ ‚‘ … — · ¿¡ § ¶ † ‡ ※ 。「」 ﹏ ＃ ； ` ` ^ $ + < | ~ ¢ ×",
    "\ud800 a\udfffb x\ud83d",
    "#hash ##ing [CLS] [SEP] [MASK] [UNK] ##a",
    *("x" * length for length in (99, 100, 101, 199, 200, 201, 399, 400, 401, 1000)),
    *("é" * length for length in (200, 399, 400, 401)),
    "e\u0301" * 400,
    "a" * 390 + "." + "b" * 390,
]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in one with letters and signs of many scripts, oddities and a double added."""
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    more = sorted({c for text in NASTY for c in text if c.isalpha()} | set(LETTERS) | {"\u2028"})
    tokens = [*tiny.vocabulary(), *more, *(f"##{c}" for c in more), "the", " spaced "]
    path.write_text("".join(f"{token}\n" for token in tokens), "utf-8", newline="\n")
    return path


@cache
def tokenizers(vocabulary: Path, lowercase: bool) -> tuple[WordPieces, Any]:
    from official.nlp.tools.tokenization import FullTokenizer

    return (
        WordPieces(vocabulary, lowercase),
        FullTokenizer(str(vocabulary), do_lower_case=lowercase),
    )


def check(vocabulary: Path, lowercase: bool, texts: Iterable[str]) -> None:
    texts = list(texts)
    ours, truth = tokenizers(vocabulary, lowercase)
    ids, offsets = ours.encode(texts)
    for row, text in enumerate(texts):
        expected = truth.convert_tokens_to_ids(truth.tokenize(text))
        assert ids[offsets[row] : offsets[row + 1]].tolist() == expected, ascii(text)


both = pytest.mark.parametrize("lowercase", [True, False])


@both
def test_nasty_texts(vocabulary: Path, lowercase: bool) -> None:
    check(vocabulary, lowercase, NASTY)


@both
def test_every_character(vocabulary: Path, lowercase: bool) -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    assigned = every[:0x3_2000] + every[0xE_0000:0xE_0200]
    parts = (assigned[start : start + 40] for start in range(0, len(assigned), 40))
    check(vocabulary, lowercase, ("a" + "b ".join(part) + " Σ" + "".join(part) for part in parts))


@both
def test_mixed_at_random(vocabulary: Path, lowercase: bool) -> None:
    chance = random.Random(0)
    mixture = "".join(NASTY[:13]) + LETTERS * 3
    check(
        vocabulary,
        lowercase,
        ("".join(chance.choices(mixture, k=chance.randrange(30))) for _ in range(4000)),
    )


@both
@given(texts=st.lists(st.text(max_size=40), max_size=5))
@settings(max_examples=150, deadline=None)
def test_any_text(vocabulary: Path, lowercase: bool, texts: list[str]) -> None:
    check(vocabulary, lowercase, texts)


def test_forgetting_changes_nothing(vocabulary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordpieces, "_MEMO_WORDS", 10)
    monkeypatch.setattr(wordpieces, "_CHUNK_ROWS", 3)
    check(vocabulary, True, [f"{word} question {word}s?" for word in tiny.vocabulary()[200:300]])


def test_no_text_and_empty_text(vocabulary: Path) -> None:
    ours, _ = tokenizers(vocabulary, True)
    assert [part.tolist() for part in ours.encode([])] == [[], [0]]
    assert [part.tolist() for part in ours.encode(["", " "])] == [[], [0, 0, 0]]


@pytest.mark.real
@both
def test_all_real_questions(lowercase: bool, real_quora: Path, minilm: Path) -> None:
    with (real_quora / "train.csv").open(encoding="utf-8", newline="") as file:
        questions = [row["question_text"] for row in csv.DictReader(file)]
    assert len(questions) > 26_000
    check(minilm / "vocab.txt", lowercase, questions)
