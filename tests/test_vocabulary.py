"""A vocab.txt is read one way, whoever reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertsweep.errors import EncoderError
from bertsweep.tokens import WordPieces
from bertsweep.vocabulary import looks_lowercase, read_vocabulary

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "\u2028", "##b"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("closed", [True, False])
def test_tokens_are_lines(mark: str, end: str, closed: bool, tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    text = mark + end.join(TOKENS) + (end if closed else "")
    path.write_bytes(text.encode())
    assert read_vocabulary(path) == [token.strip() for token in TOKENS]
    pieces = WordPieces(path, lowercase=True)
    assert pieces.special.pad == 0
    assert pieces.encode(["ab a"])[0].tolist() == [4, 6, 4]


def test_a_file_that_is_no_vocabulary_is_said(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    with pytest.raises(EncoderError, match="cannot be read"):
        read_vocabulary(path)
    path.write_bytes(b"[PAD]\n\xff")
    with pytest.raises(EncoderError, match="byte 6 is not"):
        read_vocabulary(path)


def test_casing_is_told_from_the_tokens() -> None:
    assert looks_lowercase(["[PAD]", "[UNK]", "a", "##\u00e9", "1"])
    assert not looks_lowercase(["[PAD]", "a", "\u00c9"])
