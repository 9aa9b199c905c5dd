"""Computes with a Hugging Face folder where PyTorch is absent: `python -m … FOLDER IN OUT`.

The folder is read as an encoder of a sweep would be, its tokenizer by the `tokenizers` library. The
arguments are those of `standalone/reload.py`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from bertsweep.encoders.huggingface import HuggingFaceFolder
from bertsweep.model.network import WORDS, Network


class Reader:
    """The model of the folder: token ids → probabilities [rows, classes]."""

    def __init__(self, folder: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            source = HuggingFaceFolder(folder)
            prepared = source.convert(Path(scratch), lowercase=None, source=str(folder))
            self._encoder = {n: tf.constant(a) for n, a in load_file(prepared.weights).items()}
        head = load_file(folder / "model.safetensors")
        self._kernel, self._bias = head["classifier.weight"].T, head["classifier.bias"]
        self._network = Network(self._encoder, prepared.config, tf.float32)

    def probabilities(self, ids: Any, mask: Any, types: Any) -> Any:
        words = tf.gather(self._encoder[WORDS], ids)
        pooled = self._network.pooled(words, tf.constant(mask), tf.constant(types), None)
        logits = tf.cast(tf.matmul(pooled, self._kernel) + self._bias, tf.float64)
        return tf.nn.softmax(logits).numpy()


def main(arguments: list[str]) -> None:
    """Reads the batches, asks the folder's model, writes its answers."""
    folder, given, out = map(Path, arguments)
    rows = np.load(given / "rows.npz")
    texts = json.loads((given / "texts.json").read_text(encoding="utf-8"))
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    length = config["model_max_length"]
    tokenizer.encode_special_tokens = config["split_special_tokens"]
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(
        pad_id=tokenizer.token_to_id(config["pad_token"]), pad_token=config["pad_token"]
    )
    reader = Reader(folder)
    found: dict[str, list[Any]] = {"text": [], "ids": []}
    for n, some in enumerate(texts):
        own = [rows[f"{name}_{n}"] for name in ("ids", "mask", "types")]
        found["ids"].append(reader.probabilities(*own))
        encoded = tokenizer.encode_batch(
            list(zip(*some, strict=True)) if len(some) > 1 else some[0]
        )
        # Of a pair that is cut, the library leaves the second text a piece that is the first's.
        if len(some) == 1 or own[0].shape[1] < length:
            fields = ("ids", "attention_mask", "type_ids")
            own = [np.array([getattr(e, field) for e in encoded], np.int32) for field in fields]
        found["text"].append(reader.probabilities(*own))
    arrays: dict[str, Any] = {way: np.concatenate(each) for way, each in found.items()}
    np.savez(out, **arrays)


if __name__ == "__main__":
    main(sys.argv[1:])
