"""The tokenizers of exports give the word pieces of `WordPieces`, also on hard Unicode."""

from __future__ import annotations

import random
import sys
import unicodedata
from pathlib import Path

import pytest
import tensorflow as tf

from bertsweep.export.graph_tokenizer import GraphTokenizer
from bertsweep.export.huggingface_folder import build_tokenizer
from bertsweep.export.rows import HARD_TEXTS, hard_rows
from bertsweep.tokens import Tokens, WordPieces

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [*"abcdefghijklmnopqrstuvwxyz", *"ABCSTΣσςßéı字豈", "α", "ο", "δ"]
VOCABULARY = [
    *SPECIAL,
    *(chr(code) for code in range(33, 127) if not chr(code).isalnum()),
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
    *("the", "##ing", "1", "##1", "the", ""),
]
CHARACTERS = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c <= 0xDFFF]


@pytest.fixture(params=[True, False], ids=["uncased", "cased"])
def pieces(request: pytest.FixtureRequest, tmp_path: Path) -> WordPieces:
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join([*VOCABULARY, ""]), encoding="utf-8")
    return WordPieces(path, lowercase=request.param)


def texts(count: int) -> list[str]:
    """Texts of characters that tokenizers treat in a special way, every kind of them."""
    choose = random.Random(0)
    kinds: dict[str, list[str]] = {}
    for character in CHARACTERS:
        kinds.setdefault(unicodedata.category(character), []).append(character)
    special = [c for c in CHARACTERS if unicodedata.decomposition(c) or c.lower() != c]
    pools = [*kinds.values(), special, special, LETTERS, LETTERS]
    return [
        "".join(choose.choice(choose.choice(pools)) for _ in range(choose.randint(1, 10)))
        for _ in range(count)
    ]


def wrong(texts: list[str], wanted: WordPieces, got: list[list[int]]) -> list[str]:
    ids, ends = wanted.encode(texts)
    return [
        ascii(text)
        for text, start, end, found in zip(texts, ends, ends[1:], got, strict=False)
        if ids[start:end].tolist() != found
    ]


def test_the_graph_tokenizes_as_training_did(pieces: WordPieces) -> None:
    tried = [*HARD_TEXTS, *texts(4000)]
    found = GraphTokenizer(pieces, max_seq_length=16).encode(tf.constant(tried)).to_list()
    assert wrong(tried, pieces, found) == []


def test_the_hugging_face_tokenizer_does_too(pieces: WordPieces) -> None:
    # But for a capital sigma, which it takes for the end of a word by the letters beside it alone.
    tried = [*HARD_TEXTS, *(text.replace("Σ", "Τ") for text in texts(4000)), "ΟΔΟΣ ΣΊΣΥΦΟΣ"]
    encoded = build_tokenizer(pieces).encode_batch(tried, add_special_tokens=False)
    assert wrong(tried, pieces, [each.ids for each in encoded]) == []


@pytest.mark.parametrize("length", [3, 4, 9, 16])
@pytest.mark.parametrize("pair", [False, True])
def test_rows_are_cut_and_joined_as_training_did(
    pieces: WordPieces, length: int, pair: bool
) -> None:
    rows = hard_rows(pair=pair)
    columns = [list(column) for column in zip(*rows, strict=True)] if pair else [rows]
    tokens = Tokens.from_texts(pieces, *columns)
    wanted = tokens.batch(slice(None), max_seq_length=length)
    found = GraphTokenizer(pieces, max_seq_length=length).batch(*map(tf.constant, columns))
    for one, other in zip(wanted, found, strict=True):
        assert one.tolist() == other.numpy().tolist()


@pytest.mark.slow
def test_every_character_of_unicode(pieces: WordPieces) -> None:
    graph = GraphTokenizer(pieces, max_seq_length=16)
    for start in range(0, len(CHARACTERS), 50_000):
        tried = [f"a{c}b {c}{c}S" for c in CHARACTERS[start : start + 50_000]]
        assert wrong(tried, pieces, graph.encode(tf.constant(tried)).to_list()) == []
