"""The prepared encoder: a folder with its sizes, weights under native names, and vocabulary."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.encoders.config import EncoderConfig
from bertsweep.errors import EncoderError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FORMAT = 1
"""Version of the folder; part of every hash, so that no older folder is mistaken for a new one."""

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
"""The tokens a vocabulary must hold."""


@dataclass(frozen=True)
class PreparedEncoder:
    """A pre-trained encoder ready to be built, wherever it came from.

    `hash` names its content (sizes, weights, vocabulary, casing): equal hashes are equal encoders.
    `source` is what the user gave, without any password or query. `notes` say what is unusual.
    """

    folder: Path
    config: EncoderConfig
    lowercase: bool
    hash: str
    source: str
    notes: tuple[str, ...] = ()

    @property
    def vocabulary(self) -> Path:
        """The word pieces, one a line; the line number from 0 is the id."""
        return self.folder / "vocab.txt"

    @property
    def weights(self) -> Path:
        """float32 arrays under the names of `variables.shapes`."""
        return self.folder / "weights.safetensors"

    @classmethod
    def open(cls, folder: Path) -> PreparedEncoder:
        """The encoder prepared in `folder`. Raises `EncoderError` when there is none."""
        try:
            record = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
            if record["format"] != FORMAT:
                raise EncoderError(
                    f"{folder} must hold a prepared encoder of format {FORMAT}, but has "
                    f"{record['format']}. Remove the folder; it will be made again."
                )
            encoder = cls(
                folder=folder,
                config=EncoderConfig(**record["config"]),
                lowercase=record["lowercase"],
                hash=record["hash"],
                source=record["source"],
                notes=tuple(record["notes"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EncoderError(
                f"{folder} must hold a prepared encoder, but its encoder.json cannot be read "
                f"({type(error).__name__}: {error}). Remove the folder; it will be made again."
            ) from error
        for path in (encoder.vocabulary, encoder.weights):
            if not path.is_file():
                raise EncoderError(
                    f"{path} is missing. Remove the folder {folder}; it will be made again."
                )
        return encoder


def write(
    folder: Path,
    *,
    config: EncoderConfig,
    weights: Mapping[str, npt.NDArray[np.float32]],
    vocabulary: Sequence[str],
    lowercase: bool,
    source: str,
    notes: Sequence[str] = (),
) -> PreparedEncoder:
    """Writes a prepared encoder into an existing `folder` and gives it.

    Raises `EncoderError` where weights or vocabulary do not fit the config.
    """
    import numpy as np
    from safetensors.numpy import save_file

    from bertsweep.encoders import variables

    check_vocabulary(vocabulary, config.vocab_size, where=source)
    variables.check(config, weights, where=source)
    # safetensors writes the buffer of a transposed view as it lies in memory: only copies in order.
    arrays = {
        name: np.ascontiguousarray(weights[name], np.float32) for name in variables.shapes(config)
    }
    text = "".join(f"{token}\n" for token in vocabulary)
    record: dict[str, Any] = {
        "format": FORMAT,
        "config": asdict(config),
        "lowercase": lowercase,
    }
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode())
    digest.update(text.encode())
    for name, array in arrays.items():
        digest.update(name.encode())
        digest.update(array.data)
    record |= {"hash": digest.hexdigest()[:32], "source": source, "notes": list(notes)}
    (folder / "vocab.txt").write_text(text, encoding="utf-8", newline="\n")
    save_file(arrays, folder / "weights.safetensors")
    (folder / "encoder.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return PreparedEncoder.open(folder)


def check_vocabulary(vocabulary: Sequence[str], vocab_size: int, *, where: str) -> None:
    """Raises `EncoderError` unless the special tokens are there and all fit the embeddings."""
    absent = [token for token in SPECIAL if token not in vocabulary]
    if absent:
        raise EncoderError(
            f"{where}: the vocabulary must hold {', '.join(SPECIAL)}, but {', '.join(absent)} "
            "is not in it. Give the vocab.txt that the encoder was trained with."
        )
    if len(vocabulary) > vocab_size:
        raise EncoderError(
            f"{where}: the vocabulary must not be longer than the word embeddings, but it has "
            f"{len(vocabulary)} tokens for {vocab_size} rows. "
            "Give the vocab.txt that the encoder was trained with."
        )
