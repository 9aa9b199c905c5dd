"""The built-in encoder: a small BERT with its own vocabulary and random weights of a fixed seed.

With it bertsweep can be tried without a network. It was never pre-trained, so its initial weights
are chosen to train quickly, at learning rates around 1e-3: kernels of Glorot's scale, and position
embeddings that are small beside those of words. After one epoch of the built-in questions (75
steps) its validation average precision is 0.84, the best it reaches.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from bertsweep.encoders.config import EncoderConfig
from bertsweep.encoders.prepared import PreparedEncoder, write
from bertsweep.encoders.variables import shapes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

NAME = "builtin:tiny"
SEED = 20_240_229

_WORD_STDDEV = 0.05
_POSITION_STDDEV = 0.01


def vocabulary() -> list[str]:
    """Returns the word pieces of the built-in encoder, by id."""
    text = resources.files("bertsweep.encoders").joinpath("tiny_vocab.txt").read_text("utf-8")
    return text.split("\n")[:-1]


def config(vocab_size: int) -> EncoderConfig:
    """Returns its sizes: two layers of 64, which train 1,000 short questions/s on two cores."""
    return EncoderConfig(
        vocab_size=vocab_size,
        hidden_size=64,
        num_layers=2,
        num_attention_heads=2,
        intermediate_size=256,
        max_position_embeddings=128,
        type_vocab_size=2,
        activation="gelu",
        dropout=0.1,
        attention_dropout=0.1,
    )


@dataclass(frozen=True)
class BuiltinTiny:
    """The source `builtin:tiny`."""

    def key(self) -> str:
        made_from = f"{SEED} {_WORD_STDDEV} {_POSITION_STDDEV} {vocabulary()}"
        return f"{NAME} {hashlib.sha256(made_from.encode()).hexdigest()}"

    def convert(self, out: Path, *, lowercase: bool | None, source: str) -> PreparedEncoder:
        """Writes the prepared encoder into `out`, with the same bytes on every machine."""
        tokens = vocabulary()
        sizes = config(len(tokens))
        return write(
            out,
            config=sizes,
            weights=weights(sizes),
            vocabulary=tokens,
            lowercase=True if lowercase is None else lowercase,
            source=source,
        )


def weights(sizes: EncoderConfig) -> dict[str, npt.NDArray[np.float32]]:
    """Returns initial weights by native name: normal, truncated at two standard deviations."""
    import numpy as np

    # RandomState's stream is frozen; that of numpy's newer generators may change between versions.
    random = np.random.RandomState(SEED)
    result = {}
    for name, shape in shapes(sizes).items():
        if name.endswith("/gamma"):
            array = np.ones(shape)
        elif name.endswith(("/beta", "/bias")):
            array = np.zeros(shape)
        else:
            array = _truncated_normal(random, shape) * _stddev(name, shape, sizes.hidden_size)
        result[name] = array.astype(np.float32)
    return result


def _stddev(name: str, shape: tuple[int, ...], hidden: int) -> float:
    if name.startswith("word_embeddings"):
        return _WORD_STDDEV
    if name.endswith("/embeddings"):
        return _POSITION_STDDEV
    outgoing = math.prod(shape) / hidden
    # Glorot and Bengio (2010), eq. 12: the mean of the widths on either side.
    return float((2 / (hidden + outgoing)) ** 0.5)


def _truncated_normal(
    random: np.random.RandomState, shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    import numpy as np

    values = random.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = random.standard_normal(int(outside.sum()))
    return values
