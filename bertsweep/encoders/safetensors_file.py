"""Reads a safetensors file of any floating-point type as float32."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.errors import EncoderError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]


def read_tensors(path: Path) -> dict[str, Array]:
    """The tensors of a file by name; those of other types than floating-point are left out.

    numpy has no bfloat16, whose bits are the upper half of those of a float32. Raises
    `EncoderError` where the file cannot be read.
    """
    from safetensors import SafetensorError, deserialize

    try:
        found = {name: _float32(view) for name, view in deserialize(path.read_bytes())}  # type: ignore[no-untyped-call]
    except (SafetensorError, OSError, ValueError) as error:
        raise EncoderError(
            f"{path} cannot be read as safetensors ({type(error).__name__}: {error}). "
            "Fetch it again."
        ) from error
    return {name: array for name, array in found.items() if array is not None}


def _float32(view: dict[str, Any]) -> Array | None:
    import numpy as np

    kind, shape, data = view["dtype"], view["shape"], view["data"]
    if kind == "BF16":
        bits = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return bits.view(np.float32).reshape(shape)
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
    if kind not in types:
        return None
    return np.frombuffer(data, types[kind]).astype(np.float32, copy=False).reshape(shape)
