"""The prepared encoder: a folder with its sizes, weights under native names, and vocabulary."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep import checksums
from bertsweep.checksums import DamageError
from bertsweep.encoders.config import LAYER_NORM_EPS, EncoderConfig
from bertsweep.errors import EncoderError
from bertsweep.vocabulary import TOKENIZER, VOCABULARY

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FORMAT = 1
"""Version of the folder; part of every hash, so that no older folder is mistaken for a new one."""

_RECORD, _WEIGHTS = "encoder.json", "weights.safetensors"

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
"""The tokens a vocabulary must hold."""


@dataclass(frozen=True)
class PreparedEncoder:
    """A pre-trained encoder ready to be built, wherever it came from.

    `hash` names its content (sizes, weights, vocabulary, casing): equal hashes are equal encoders.
    `source` is what the user gave, without any password or query. `notes` say what is unusual.
    `files` holds the checksum of each file; a folder from before there were any has none.
    """

    folder: Path
    config: EncoderConfig
    lowercase: bool
    hash: str
    source: str
    notes: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def vocabulary(self) -> Path:
        """vocab.txt: the word pieces, one a line, by id; or the tokenizer.json of another kind."""
        return self.folder / (TOKENIZER if TOKENIZER in self.files else VOCABULARY)

    @property
    def weights(self) -> Path:
        """float32 arrays under the names of `variables.shapes`."""
        return self.folder / _WEIGHTS

    @classmethod
    def open(cls, folder: Path) -> PreparedEncoder:
        """The encoder prepared in `folder`, its files unread. Raises `EncoderError`."""
        try:
            return _read(folder)
        except DamageError as error:
            raise _unusable(folder, error) from error

    def verify(self) -> None:
        """Reads every file and compares it with its checksum. Raises `EncoderError`."""
        try:
            _check(self)
        except DamageError as error:
            raise _unusable(self.folder, error) from error


def read_whole(folder: Path) -> PreparedEncoder:
    """The encoder prepared in `folder`, every file verified. Raises `DamageError`."""
    encoder = _read(folder)
    _check(encoder)
    return encoder


def write(
    folder: Path,
    *,
    config: EncoderConfig,
    weights: Mapping[str, npt.NDArray[np.float32]],
    vocabulary: Sequence[str] | bytes,
    lowercase: bool,
    source: str,
    notes: Sequence[str] = (),
) -> PreparedEncoder:
    """Writes a prepared encoder into an existing `folder` and returns it.

    `vocabulary` are word pieces by id, or the content of a tokenizer.json that was checked.
    Raises `EncoderError` where weights or vocabulary do not fit the config.
    """
    import numpy as np
    from safetensors.numpy import save_file

    from bertsweep.encoders import variables

    if not isinstance(vocabulary, bytes):
        check_vocabulary(vocabulary, config.vocab_size, where=source)
    variables.check(config, weights, where=source)
    # safetensors writes the buffer of a transposed view as it lies in memory: only copies in order.
    arrays = {
        name: np.ascontiguousarray(weights[name], np.float32) for name in variables.shapes(config)
    }
    name, text = TOKENIZER, vocabulary
    if not isinstance(text, bytes):
        name, text = VOCABULARY, "".join(f"{token}\n" for token in text).encode()
    (folder / name).write_bytes(text)
    save_file(arrays, folder / _WEIGHTS)
    record = {
        **_identity(config, lowercase),
        "hash": _content_hash(config, lowercase, text, arrays),
        "source": source,
        "notes": list(notes),
        "files": checksums.of_files(folder, (name, _WEIGHTS)),
    }
    (folder / _RECORD).write_text(checksums.seal(record), encoding="utf-8")
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


def _identity(config: EncoderConfig, lowercase: bool) -> dict[str, Any]:  # noqa: FBT001
    plain = asdict(config)
    if config.layer_norm_eps == LAYER_NORM_EPS:  # encoders from before there was another keep names
        del plain["layer_norm_eps"]
    return {"format": FORMAT, "config": plain, "lowercase": lowercase}


def _content_hash(
    config: EncoderConfig,
    lowercase: bool,  # noqa: FBT001
    vocabulary: bytes,
    weights: Mapping[str, npt.NDArray[np.float32]],
) -> str:
    """What names an encoder: 128 bits of SHA-256 over all that it computes with."""
    from bertsweep.encoders import variables

    identity = json.dumps(_identity(config, lowercase), sort_keys=True)
    digest = hashlib.sha256(identity.encode())
    digest.update(vocabulary)
    for name in variables.shapes(config):
        digest.update(name.encode())
        digest.update(weights[name].data)
    return digest.hexdigest()[:32]


def _read(folder: Path) -> PreparedEncoder:
    record = checksums.read_record(folder / _RECORD)
    if "files" in record:
        record = checksums.read_sealed(folder / _RECORD)
    try:
        form = record["format"]
        encoder = PreparedEncoder(
            folder=folder,
            config=EncoderConfig(**record["config"]),
            lowercase=record["lowercase"],
            hash=record["hash"],
            source=record["source"],
            notes=tuple(record["notes"]),
            files=dict(record.get("files", {})),
        )
    except (KeyError, TypeError, ValueError, EncoderError) as error:
        raise DamageError(f"{_RECORD} is damaged ({error})") from error
    if form != FORMAT:
        raise DamageError(f"it has format {form}, and this version reads {FORMAT}")
    for path in (encoder.vocabulary, encoder.weights):
        if not path.is_file():
            raise DamageError(f"{path.name} is missing")
    return encoder


def _check(encoder: PreparedEncoder) -> None:
    """Compares the files with their checksums; where there are none, the content with its hash."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    checksums.check_files(encoder.folder, encoder.files)
    if encoder.files:
        return
    try:
        text, weights = encoder.vocabulary.read_bytes(), load_file(encoder.weights)
        found = _content_hash(encoder.config, encoder.lowercase, text, weights)
    except (OSError, SafetensorError, KeyError) as error:
        raise DamageError(f"{_WEIGHTS} is damaged ({error})") from error
    if found != encoder.hash:
        raise DamageError("its content is not what its hash says")


def _unusable(folder: Path, error: DamageError) -> EncoderError:
    return EncoderError(
        f"{folder} must hold a prepared encoder, but {error}. "
        "Remove the folder; it will be made again."
    )
