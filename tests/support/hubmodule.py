"""Writes a tiny TF Hub module with Model Garden's own exporter."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any


def write_hub_module(
    folder: Path,
    vocabulary: list[str],
    *,
    seed: int = 0,
    do_lower_case: bool = True,
    activation: str = "gelu",
    **sizes: Any,
) -> Path:
    """Exports a BERT encoder with random weights and this vocabulary to `folder`, and gives it.

    `activation` is a name of the exporter's: "gelu" is the tanh approximation there. `sizes` are
    arguments of Model Garden's `BertConfig`. Weights are large enough for activations to matter.
    """
    import tensorflow as tf
    from official.legacy.bert.configs import BertConfig
    from official.nlp.tools import export_tfhub_lib

    settings: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "type_vocab_size": 2,
        "initializer_range": 0.3,
    }
    config = BertConfig(vocab_size=len(vocabulary), hidden_act=activation, **(settings | sizes))
    tf.random.set_seed(seed)
    encoder = export_tfhub_lib.get_bert_encoder(config)
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder.parent / f"{folder.name}-parts"
    beside.mkdir()
    checkpoint = tf.train.Checkpoint(model=encoder, encoder=encoder)
    saved = checkpoint.save(str(beside / "checkpoint"))
    vocab_file = beside / "vocab.txt"
    vocab_file.write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    export_tfhub_lib.export_model(
        str(folder),
        bert_config=config,
        model_checkpoint_path=saved,
        with_mlm=False,
        vocab_file=str(vocab_file),
        do_lower_case=do_lower_case,
    )
    return folder


def tar_gz(folder: Path) -> bytes:
    """The folder's content as TF Hub serves it: a tar.gz with its files at the top."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(folder)), recursive=False)
    return buffer.getvalue()
