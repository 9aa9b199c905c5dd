"""Converts what only TensorFlow can read, in a process of its own: the caller never imports it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bertsweep.encoders.prepared import PreparedEncoder
from bertsweep.errors import EncoderError
from bertsweep.system import LIGHT_TENSORFLOW

ERROR_FILE = "error.txt"
"""The file in the output folder to which the conversion writes the message of an `EncoderError`."""


def convert_apart(
    folder: Path, out: Path, *, lowercase: bool | None, source: str
) -> PreparedEncoder:
    """Writes the prepared encoder of a SavedModel or checkpoint into `out`.

    Raises `EncoderError`.
    """
    command = [sys.executable, "-m", "bertsweep.encoders.convert"]
    command += ["--model", str(folder), "--out", str(out), "--source", source]
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
        f"the conversion of {folder} ended unexpectedly (exit code {done.returncode}). "
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
