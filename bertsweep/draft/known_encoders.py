"""Encoders to suggest: those in folders nearby, and well-known ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bertsweep.encoders import tiny

_NEARBY = ("models/*", "encoders/*", "*")
_MOST = 4
_SMALL = "hf://sentence-transformers/all-MiniLM-L6-v2"
_BASE = "hf://google-bert/bert-base-uncased"


def known_encoders(*, gpus: int) -> dict[str, str]:
    """Source → what it is, the one to suggest first.

    Folders with an encoder come first, then the size that suits a machine with so many GPUs.
    """
    hub = [
        (_SMALL, "English, 6 layers, 23 million parameters, 90 MB: good without a GPU"),
        (_BASE, "English, 12 layers, 110 million parameters, 440 MB: wants a GPU"),
    ]
    return dict(
        [
            *((str(folder), "the encoder in that folder") for folder in _folders()),
            *(hub[::-1] if gpus else hub),
            (tiny.NAME, "tiny and never trained: to try things out without a network"),
        ]
    )


def _folders() -> Iterator[Path]:
    found = 0
    for pattern in _NEARBY:
        for folder in sorted(Path().glob(pattern)):
            vocabulary = any((folder / name).is_file() for name in ("vocab.txt", "tokenizer.json"))
            weights = any(
                (folder / name).is_file() for name in ("model.safetensors", "bert_config.json")
            )
            if (vocabulary and weights) or (folder / "saved_model.pb").is_file():
                yield folder
                found += 1
            if found == _MOST:
                return
