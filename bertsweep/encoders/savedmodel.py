"""SavedModel folders as sources of encoders, converted in a process that imports TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bertsweep.encoders.files import fingerprint
from bertsweep.encoders.prepared import PreparedEncoder
from bertsweep.errors import EncoderError
from bertsweep.system import LIGHT_TENSORFLOW

ERROR_FILE = "error.txt"
"""The file in the output folder to which the conversion writes the message of an `EncoderError`."""


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
        command = [sys.executable, "-m", "bertsweep.encoders.convert"]
        command += ["--model", str(self.folder), "--out", str(out), "--source", source]
        command += ["--lowercase", "auto" if lowercase is None else str(lowercase).lower()]
        done = subprocess.run(  # noqa: S603 (our own module, no shell)
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode == 0:
            return PreparedEncoder.open(out)
        if (out / ERROR_FILE).is_file():
            raise EncoderError((out / ERROR_FILE).read_text(encoding="utf-8"))
        tail = done.stdout.decode(errors="replace").strip().splitlines()[-5:]
        raise EncoderError(
            f"the conversion of {self.folder} ended unexpectedly (exit code {done.returncode}). "
            "Its last lines:\n  " + "\n  ".join(tail)
        )


def _environment() -> dict[str, str]:
    """Returns our environment with this package first and no GPU, which sweeps may be using."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    return {
        **os.environ,
        "PYTHONPATH": path,
        "CUDA_VISIBLE_DEVICES": "-1",
        **LIGHT_TENSORFLOW,
        "TF_CPP_MIN_LOG_LEVEL": "2",  # errors are kept: they may say why the conversion failed
    }
