"""What a checkpoint predicts for the validation rows: kept so that nothing is trained to ask again.

The file closes itself by a checksum, since it outlives the folder of the checkpoint: when weights
are not among those that are kept, the predictions stay, as the choice among all trials needs them.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.checksums import DamageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FILE = "predictions.safetensors"

_CHECKSUM = "crc32"
_NAMES = ("labels", "probabilities")


@dataclass(frozen=True)
class Predictions:
    """Class index (int32 [rows]) and probabilities (float64) of the validation rows, in order.

    Those of a refit, which was trained on these rows too, are of the repeats of its configuration:
    what each predicted for its validation rows, one after the other.
    `probabilities` are those of class 1 [rows], or with more than two of every class [rows,
    classes]. In float32, rows whose outputs hardly differ would tie, and score otherwise than
    reported.
    """

    labels: npt.NDArray[np.int32]
    probabilities: npt.NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[Predictions]) -> Predictions:
        """The rows of all parts, one after the other."""
        import numpy as np

        return cls(
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.probabilities for part in parts]),
        )


def save(predictions: Predictions, path: Path) -> None:
    """Writes a file. Raises `OSError`."""
    import numpy as np
    from safetensors.numpy import save as to_bytes

    arrays = {
        "labels": np.ascontiguousarray(predictions.labels, np.int32),
        "probabilities": np.ascontiguousarray(predictions.probabilities, np.float64),
    }
    path.write_bytes(to_bytes(arrays, {_CHECKSUM: _checksum(arrays)}))


def read(path: Path) -> Predictions:
    """The predictions in a file. Raises `DamageError` where it is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in _NAMES}
            expected = (file.metadata() or {}).get(_CHECKSUM)
    except FileNotFoundError:
        raise DamageError(f"{path.name} is missing") from None
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DamageError(f"{path.name} is damaged ({error})") from error
    if expected != _checksum(arrays):
        raise DamageError(f"{path.name} is damaged: its checksum does not match")
    return Predictions(**arrays)


def outlive(checkpoint: Path) -> None:
    """Moves the predictions of a checkpoint that is about to be removed to its trial's folder."""
    if (checkpoint / FILE).is_file():
        os.replace(checkpoint / FILE, checkpoint.parent / FILE)


def _checksum(arrays: dict[str, Any]) -> str:
    checksum = 0
    for name in _NAMES:
        array = arrays[name]
        checksum = zlib.crc32(f"{name}{array.dtype}{array.shape}".encode(), checksum)
        checksum = zlib.crc32(array.data, checksum)
    return f"{checksum:08x}"
