"""Checkpoints and full states of a very small classifier, for tests that train nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bertsweep import checkpoints
from bertsweep.checkpoints import CheckpointRecord, EncoderRecord, State
from bertsweep.encoders import variables
from bertsweep.encoders.config import EncoderConfig

CONFIG = EncoderConfig(
    vocab_size=6,
    hidden_size=4,
    num_layers=2,
    num_attention_heads=2,
    intermediate_size=6,
    max_position_embeddings=16,
    type_vocab_size=2,
    activation="gelu",
    dropout=0.1,
    attention_dropout=0.1,
)
VOCABULARY = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n"
PARAMS: dict[str, Any] = {"learning_rate": 1e-3, "max_seq_length": 8}


def arrays(fill: float, *, units: int = 1) -> dict[str, Any]:
    """The weights of a classifier, every one of them `fill`."""
    shapes: dict[str, tuple[int, ...]] = {
        f"encoder/{name}": shape for name, shape in variables.shapes(CONFIG).items()
    }
    shapes |= {"head/kernel": (CONFIG.hidden_size, units), "head/bias": (units,)}
    return {name: np.full(shape, fill, np.float32) for name, shape in shapes.items()}


def record(report: int = 1, **changes: Any) -> CheckpointRecord:
    fields: dict[str, Any] = {
        "labels": (0, 1),
        "text": ("question",),
        "threshold": 0.5,
        "params": PARAMS,
        "encoder": EncoderRecord(CONFIG, lowercase=True, hash="e", source="builtin:tiny"),
        "trial": "t0000",
        "seed": 1,
        "report": report,
        "epoch": report / 2,
        "metrics": {"val_average_precision": 0.5},
        "compute": {"precision": "float32", "jit": False},
    }
    return CheckpointRecord(**{**fields, **changes})


def write_checkpoint(
    trial_folder: Path, report: int = 1, *, fill: float | None = None, **changes: Any
) -> Path:
    """Writes `best-NNNN` with weights that tell its report, and returns the folder."""
    weights = arrays(float(report) if fill is None else fill)
    written = record(report, **changes)
    return checkpoints.write_best(trial_folder, written, arrays=weights, vocabulary=VOCABULARY)


def write_real(trial_folder: Path, report: int = 1, **changes: Any) -> Path:
    """Writes `best-NNNN` that can predict: the built-in encoder under an untrained head."""
    from bertsweep.encoders import native, prepare_encoder
    from bertsweep.model.classifier import Classifier
    from bertsweep.paths import cache_root
    from bertsweep.spec.models import Encoder

    source = Encoder(source="builtin:tiny")
    encoder = prepare_encoder(source, cache=cache_root(), base=trial_folder)
    written = record(
        report,
        **{
            "params": {"max_seq_length": 16},
            "encoder": EncoderRecord(encoder.config, encoder.lowercase),
            **changes,
        },
    )
    classifier = Classifier(native.build(encoder), encoder.config, classes=len(written.labels))
    classifier.reset(seed=7, dropout=0.0)
    return checkpoints.write_best(
        trial_folder,
        written,
        arrays={name: np.array(v.numpy()) for name, v in classifier.weights.items()},
        vocabulary=encoder.vocabulary.read_bytes(),
    )


def write_state(trial_folder: Path, report: int, *, best: str | None = None) -> Path:
    """Writes `state-NNNN`, whose one array tells its report."""
    reports = [{"report": n, "checkpoint": best, "seconds": 1.0} for n in range(1, report + 1)]
    weights = {"step": np.array([report])}
    return checkpoints.write_state(trial_folder, State(PARAMS, 1, reports, weights))


def flipped_bits(path: Path, *, count: int = 40) -> Iterator[int]:
    """Damages a file by one bit at a time, at `count` places all over it; mends it in the end."""
    whole = path.read_bytes()
    try:
        for place in np.linspace(0, len(whole) * 8 - 1, count, dtype=int).tolist():
            damaged = bytearray(whole)
            damaged[place // 8] ^= 1 << place % 8
            path.write_bytes(damaged)
            yield place
    finally:
        path.write_bytes(whole)
