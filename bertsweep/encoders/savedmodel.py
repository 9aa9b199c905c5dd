"""SavedModel folders as sources of encoders, converted in a process that imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bertsweep.encoders.apart import convert_apart
from bertsweep.encoders.files import fingerprint
from bertsweep.encoders.prepared import PreparedEncoder


@dataclass(frozen=True)
class SavedModelFolder:
    """An unpacked TF Hub module, or any SavedModel with the variables of a BERT encoder."""

    folder: Path

    @staticmethod
    def matches(folder: Path) -> bool:
        return (folder / "saved_model.pb").is_file()

    def key(self) -> str:
        return fingerprint(sorted(self.folder.rglob("*")))

    def convert(self, out: Path, *, lowercase: bool | None, source: str) -> PreparedEncoder:
        """Writes the prepared encoder into `out`, about 15 s. Raises `EncoderError`."""
        return convert_apart(self.folder, out, lowercase=lowercase, source=source)
