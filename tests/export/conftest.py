"""A checkpoint to export: the built-in encoder under a head with weights at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from bertsweep import checkpoints
from bertsweep.checkpoints import Checkpoint, EncoderRecord
from bertsweep.encoders import prepare_encoder
from bertsweep.paths import cache_root
from bertsweep.spec.models import Encoder
from tests.support.checkpoints import record

Write = Callable[..., Checkpoint]


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Writes a checkpoint of as many classes as there are labels."""
    encoder = prepare_encoder(Encoder(source="builtin:tiny"), cache=cache_root(), base=Path.cwd())
    weights = load_file(encoder.weights)
    size = encoder.config.hidden_size

    def write(*, epsilon: float = 1e-12, **changes: Any) -> Checkpoint:
        config = replace(encoder.config, layer_norm_eps=epsilon)
        rng = np.random.default_rng(0)
        units = len(changes.get("labels", (0, 1)))
        units = 1 if units == 2 else units
        arrays = {f"encoder/{name}": array for name, array in weights.items()}
        arrays["head/kernel"] = rng.normal(size=(size, units)).astype(np.float32)
        arrays["head/bias"] = rng.normal(size=units).astype(np.float32)
        told = record(
            encoder=EncoderRecord(config, encoder.lowercase, encoder.hash, encoder.source),
            **{"params": {"learning_rate": 1e-3, "max_seq_length": 17}, **changes},
        )
        vocabulary = encoder.vocabulary.read_bytes()
        folder = tmp_path_factory.mktemp("trial")
        return Checkpoint.open(
            checkpoints.write_best(folder, told, arrays=arrays, vocabulary=vocabulary)
        )

    return write


@pytest.fixture(scope="module")
def checkpoint(write: Write) -> Checkpoint:
    """Two classes, scored in bfloat16."""
    return write(compute={"precision": "mixed_bfloat16", "jit": False})
