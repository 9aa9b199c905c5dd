"""Tokens: made once, and batches equal to what a plain loop over rows gives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsweep.data import Dataset
from bertsweep.errors import EncoderError, EnvironmentFault
from bertsweep.tokens import Tokens, WordPieces, tokenize_dataset

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefgh", *(f"##{c}" for c in "abcdefgh"), "."]
PAD, UNK, CLS, SEP = range(4)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("".join(f"{token}\n" for token in PIECES))
    return path


@pytest.fixture(scope="module")
def word_pieces(vocabulary: Path) -> WordPieces:
    return WordPieces(vocabulary, lowercase=True)


def dataset(*, pairs: bool = False, rows: int = 7, name: str = "one") -> Dataset:
    def frame(count: int) -> pd.DataFrame:
        texts = [" ".join("abcdefgh"[: 1 + i % 8]) for i in range(count)]
        columns: dict[str, Any] = {"text": texts}
        if pairs:
            columns["text_b"] = ["h " * (i % 5) for i in range(count)]
        return pd.DataFrame(columns | {"label": np.arange(count, dtype=np.int32) % 2})

    splits = {"train": frame(rows), "validation": frame(3), "test": frame(0)}
    return Dataset(splits=splits, labels=("no", "yes"), hash=name, notes=())


def pieces(tokens: Any, row: int) -> list[int]:
    return tokens.ids[tokens.offsets[row] : tokens.offsets[row + 1]].tolist()


def plain_row(first: list[int], second: list[int] | None, limit: int) -> tuple[list[int], int]:
    """Ids of a row and where its second text begins, as BERT's own code makes them."""
    first, other = list(first), list(second or [])
    special = 2 if second is None else 3
    while len(first) + len(other) > limit - special:
        longer = first if second is None or len(first) > len(other) else other
        longer.pop()
    ids = [CLS, *first, SEP]
    begin = len(ids)
    return (ids if second is None else [*ids, *other, SEP]), begin


def check_batch(tokens: Tokens, rows: Any, limit: int) -> None:
    ids, mask, types = tokens.batch(rows, max_seq_length=limit)
    assert ids.dtype == mask.dtype == types.dtype == np.int32
    expected = [
        plain_row(
            pieces(tokens.first, row),
            None if tokens.second is None else pieces(tokens.second, row),
            limit,
        )
        for row in rows
    ]
    width = max((len(row) for row, _ in expected), default=2)
    assert ids.shape == mask.shape == types.shape == (len(rows), width)
    lengths = tokens.lengths(limit)
    for i, (row, begin) in enumerate(expected):
        pad = width - len(row)
        assert ids[i].tolist() == row + [PAD] * pad
        assert mask[i].tolist() == [1] * len(row) + [0] * pad
        assert types[i].tolist() == [0] * begin + [1] * (len(row) - begin) + [0] * pad
        assert lengths[rows[i]] == len(row)


texts = st.lists(st.text("abcdefgh .", max_size=20), min_size=1, max_size=6)


@given(texts, st.integers(3, 24), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_single_texts(word_pieces: WordPieces, texts: list[str], limit: int, chance: Any) -> None:
    tokens = Tokens.from_texts(word_pieces, texts)
    check_batch(tokens, np.array(chance.choices(range(len(texts)), k=4)), limit)


@given(texts, st.integers(3, 24), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_pairs_lose_of_the_longer_first(
    word_pieces: WordPieces, texts: list[str], limit: int, chance: Any
) -> None:
    others = ["".join(chance.choices("abc. ", k=chance.randrange(20))) for _ in texts]
    tokens = Tokens.from_texts(word_pieces, texts, others)
    check_batch(tokens, np.array(chance.choices(range(len(texts)), k=4)), limit)


def test_width_can_be_given_and_must_do(word_pieces: WordPieces) -> None:
    tokens = Tokens.from_texts(word_pieces, ["a b", "a b c d"])
    ids, mask, _ = tokens.batch(np.array([0, 1]), max_seq_length=16, width=9)
    assert ids.shape == (2, 9)
    assert mask.sum(axis=1).tolist() == [4, 6]
    with pytest.raises(ValueError, match="at least the longest row, 6, but got 5"):
        tokens.batch(np.array([0, 1]), max_seq_length=16, width=5)
    with pytest.raises(ValueError, match="at least 3, but got 2"):
        tokens.batch(np.array([0]), max_seq_length=2)


def test_texts_without_labels(word_pieces: WordPieces) -> None:
    tokens = Tokens.from_texts(word_pieces, ["a", "", "zzz"])
    assert (tokens.rows, tokens.classes) == (3, 0)
    assert tokens.labels.tolist() == [-1] * 3
    assert tokens.lengths(8).tolist() == [3, 2, 3]
    assert tokens.batch(np.array([2, 1]), max_seq_length=8)[0].tolist() == [
        [CLS, UNK, SEP],
        [CLS, SEP, PAD],
    ]
    nothing = Tokens.from_texts(word_pieces, [])
    assert nothing.rows == 0
    assert nothing.batch(np.array([], np.int64), max_seq_length=8)[0].shape == (0, 2)


@pytest.mark.parametrize("pairs", [False, True])
def test_folder_gives_what_the_texts_give(
    pairs: bool, vocabulary: Path, word_pieces: WordPieces, tmp_path: Path
) -> None:
    data = dataset(pairs=pairs)
    folder = tokenize_dataset(data, vocabulary=vocabulary, lowercase=True, cache=tmp_path)
    for split, frame in data.splits.items():
        tokens = Tokens.open(folder, split)
        assert tokens.rows == len(frame)
        assert tokens.classes == 2
        assert tokens.labels.tolist() == frame["label"].tolist()
        others = frame["text_b"].tolist() if pairs else None
        same = Tokens.from_texts(word_pieces, frame["text"].tolist(), others)
        rows = np.arange(len(frame))
        for ours, theirs in zip(
            tokens.batch(rows, max_seq_length=6), same.batch(rows, max_seq_length=6), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_second_time_does_nothing(
    vocabulary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tokenize_dataset(dataset(), vocabulary=vocabulary, lowercase=True, cache=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    monkeypatch.setattr(WordPieces, "encode", None)
    second = tokenize_dataset(dataset(), vocabulary=vocabulary, lowercase=True, cache=tmp_path)
    assert first == second
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_other_data_casing_or_vocabulary_is_another_folder(
    vocabulary: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.txt"
    other.write_text(vocabulary.read_text() + "i\n")
    folders = {
        tokenize_dataset(dataset(name=name), vocabulary=file, lowercase=lowercase, cache=tmp_path)
        for name, file, lowercase in [
            ("one", vocabulary, True),
            ("two", vocabulary, True),
            ("one", vocabulary, False),
            ("one", other, True),
        ]
    }
    assert len(folders) == 4


def test_many_rows_go_through_in_parts_and_are_mapped(vocabulary: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    folder = tokenize_dataset(
        dataset(rows=70_000),
        vocabulary=vocabulary,
        lowercase=True,
        cache=tmp_path,
        progress=lambda _, done, total: seen.append((done, total)),
    )
    assert seen == [(65_536, 70_003), (70_000, 70_003), (70_003, 70_003)]
    tokens = Tokens.open(folder, "train")
    assert isinstance(tokens.first.ids.base, np.memmap)
    check_batch(tokens, np.array([0, 65_535, 65_536, 69_999]), 8)
    assert tokens.lengths(128).sum() == len(tokens.first.ids) + 2 * 70_000


def test_a_failure_leaves_nothing_behind(
    vocabulary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(EnvironmentFault, match="No space left on device"):
        tokenize_dataset(dataset(), vocabulary=vocabulary, lowercase=True, cache=tmp_path)
    assert list((tmp_path / "tokens").iterdir()) == []


def test_damage_is_said(vocabulary: Path, tmp_path: Path) -> None:
    folder = tokenize_dataset(dataset(), vocabulary=vocabulary, lowercase=True, cache=tmp_path)
    with pytest.raises(EnvironmentFault, match="'holdout'"):
        Tokens.open(folder, "holdout")
    (folder / "meta.json").write_text("{")
    with pytest.raises(EnvironmentFault, match="Remove the folder"):
        Tokens.open(folder, "train")


def test_a_damaged_file_is_noticed_and_the_folder_made_again(
    vocabulary: Path, tmp_path: Path
) -> None:
    said: list[str] = []

    def tokenised() -> Path:
        return tokenize_dataset(
            *(dataset(),), vocabulary=vocabulary, lowercase=True, cache=tmp_path, notify=said.append
        )

    folder = tokenised()
    content = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(content) == 10
    for name, whole in content.items():
        for damaged in (bytes([whole[0] ^ 1]) + whole[1:], whole[: len(whole) // 2], None):
            path = folder / name
            path.unlink() if damaged is None else path.write_bytes(damaged)
            if name.startswith("train"):
                with pytest.raises(EnvironmentFault, match=f"{name} is"):
                    Tokens.open(folder, "train")
            assert tokenised() == folder
            assert f"the tokens in {folder} are made again: {name} is" in said.pop()
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == content
    tokenised()
    assert said == []


def test_vocabulary_without_special_tokens(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n[CLS]\na\n")
    with pytest.raises(EncoderError, match=r"\[UNK\], \[SEP\] is not in it"):
        WordPieces(tmp_path / "vocab.txt", lowercase=True)
    with pytest.raises(EncoderError, match="cannot be read"):
        WordPieces(tmp_path / "absent.txt", lowercase=True)
