"""Folders of an original BERT checkpoint, the form in which Google published its BERTs.

Such a folder holds `bert_config.json`, `bert_model.ckpt.index` with its data, and `vocab.txt`
(github.com/google-research/bert).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bertsweep.encoders.apart import convert_apart
from bertsweep.encoders.files import fingerprint
from bertsweep.encoders.prepared import PreparedEncoder

CONFIG = "bert_config.json"


@dataclass(frozen=True)
class CheckpointFolder:
    """A folder with an original TensorFlow checkpoint of BERT."""

    folder: Path

    @staticmethod
    def matches(folder: Path) -> bool:
        return (folder / CONFIG).is_file()

    def key(self) -> str:
        return fingerprint(sorted(self.folder.iterdir()))

    def convert(self, out: Path, *, lowercase: bool | None, source: str) -> PreparedEncoder:
        """Writes the prepared encoder into `out`, about 10 s. Raises `EncoderError`."""
        return convert_apart(self.folder, out, lowercase=lowercase, source=source)
