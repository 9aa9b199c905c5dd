"""Converts a SavedModel or an original checkpoint: `python -m bertsweep.encoders.convert`.

It runs in a process of its own, so that the caller never imports TensorFlow. An error that the user
can mend is written to a file in the output folder; any other is a traceback on stderr.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from bertsweep.encoders import checkpoint_weights, prepared, verify
from bertsweep.encoders.apart import ERROR_FILE
from bertsweep.encoders.checkpoint import CONFIG, CheckpointFolder
from bertsweep.encoders.huggingface import read_config as read_bert_config
from bertsweep.encoders.savedmodel_weights import read_config, read_weights
from bertsweep.errors import EncoderError
from bertsweep.vocabulary import looks_lowercase, read_vocabulary


def main(arguments: list[str]) -> int:
    """Returns exit code 0 with a prepared encoder in --out, or 2 with an error message there."""
    parser = argparse.ArgumentParser(prog="bertsweep.encoders.convert", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--lowercase", choices=("auto", "true", "false"), default="auto")
    given = parser.parse_args(arguments)
    lowercase = None if given.lowercase == "auto" else given.lowercase == "true"
    try:
        chosen = convert_checkpoint if CheckpointFolder.matches(given.model) else convert
        chosen(given.model, given.out, lowercase=lowercase, source=given.source)
    except EncoderError as error:
        (given.out / ERROR_FILE).write_text(str(error), encoding="utf-8")
        return error.exit_code
    return 0


def convert(
    model: Path, out: Path, *, lowercase: bool | None, source: str
) -> prepared.PreparedEncoder:
    """Writes the prepared encoder of a SavedModel into `out`.

    Raises `EncoderError`, among others where the pooled output of the native encoder differs from
    the module's own.
    """
    module = _load(model, source)
    weights = read_weights(module, where=source)
    config = read_config(weights, where=source)
    config = verify.prove(module, weights, config, where=source)
    tokens = _vocabulary(module, model, source)
    if lowercase is None:
        lowercase = _lowercase(module, tokens)
    return prepared.write(
        out,
        config=config,
        weights=weights,
        vocabulary=tokens,
        lowercase=lowercase,
        source=source,
    )


def convert_checkpoint(
    folder: Path, out: Path, *, lowercase: bool | None, source: str
) -> prepared.PreparedEncoder:
    """Writes the prepared encoder of an original BERT checkpoint into `out`.

    Its "gelu" is the tanh approximation (`modeling.gelu` of google-research/bert). Raises
    `EncoderError`.
    """
    config = read_bert_config(folder / CONFIG)
    if config.activation == "gelu":
        config = replace(config, activation="gelu_tanh")
    if not (folder / "vocab.txt").is_file():
        raise EncoderError(
            f"{source} must hold the checkpoint's vocab.txt, but does not. Put it there."
        )
    tokens = read_vocabulary(folder / "vocab.txt")
    return prepared.write(
        out,
        config=config,
        weights=checkpoint_weights.read_weights(folder, config, where=source),
        vocabulary=tokens,
        lowercase=looks_lowercase(tokens) if lowercase is None else lowercase,
        source=source,
    )


def _load(model: Path, source: str) -> Any:
    try:
        return tf.saved_model.load(str(model))
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        raise EncoderError(
            f"{source}: the SavedModel cannot be loaded ({type(error).__name__}: "
            f"{str(error).splitlines()[0]}). Fetch it again, or take another mirror."
        ) from error


def _vocabulary(module: Any, model: Path, source: str) -> list[str]:
    asset = getattr(module, "vocab_file", None)
    if asset is not None:
        return read_vocabulary(Path(asset.asset_path.numpy().decode()))
    beside = model / "assets" / "vocab.txt"
    if beside.is_file():
        return read_vocabulary(beside)
    raise EncoderError(
        f"{source}: a SavedModel must bring its vocabulary as the asset vocab_file or "
        "assets/vocab.txt, but has neither. Put the vocab.txt of the model into its assets folder."
    )


def _lowercase(module: Any, tokens: list[str]) -> bool:
    said = getattr(module, "do_lower_case", None)
    return looks_lowercase(tokens) if said is None else bool(said.numpy())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
