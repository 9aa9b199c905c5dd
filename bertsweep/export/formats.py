"""The formats of an export: what writes each, what reading it again needs, how close it must be."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertsweep.checkpoints import Checkpoint
from bertsweep.encoders.config import LAYER_NORM_EPS
from bertsweep.errors import InputError, MissingPackageError
from bertsweep.export.subject import Subject
from bertsweep.vocabulary import TOKENIZER


@dataclass(frozen=True)
class Format:
    """One format; its module in this package has `write(subject, folder)`.

    `tolerance` is the largest difference from a probability of the checkpoint that passes. `needs`
    are the modules that writing and checking it import, `readers` those that its user imports,
    `poolings` the values of that parameter that its models can have, `any_epsilon` whether their
    layer norms can have another epsilon than BERT's, and `any_tokenizer` whether the encoder can
    have another tokenizer than word pieces.
    """

    name: str
    title: str
    module: str
    tolerance: float
    needs: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    poolings: tuple[str, ...] = ("pooled", "cls", "mean")
    any_epsilon: bool = True
    any_tokenizer: bool = True

    def check_packages(self) -> None:
        """Raises `MissingPackageError` where it cannot be written or checked here."""
        missing = [name for name in self.needs if not installed(name)]
        if missing:
            raise MissingPackageError(
                f"the format {self.name} needs {' and '.join(missing)}, which this Python does not "
                "have. Type: pip install 'bertsweep[export]'"
            )

    def check_model(self, checkpoint: Checkpoint) -> None:
        """Raises `InputError` where its models cannot compute what the checkpoint does."""
        obstacle = self._obstacle(checkpoint)
        if obstacle is None:
            return
        fit = [name for name, one in FORMATS.items() if one._obstacle(checkpoint) is None]
        raise InputError(f"{obstacle}. Type another --format: {', '.join(fit)}")

    def _obstacle(self, checkpoint: Checkpoint) -> str | None:
        """Why its models cannot compute what the checkpoint does; None where they can."""
        record = checkpoint.record
        pooling, epsilon = record.pooling, record.encoder.config.layer_norm_eps
        if not self.any_tokenizer and checkpoint.vocabulary.name == TOKENIZER:
            return (
                f"the format {self.name} can have word pieces only, as TensorFlow cannot compute "
                f"other tokenizers from their {TOKENIZER}, but the checkpoint's encoder has one"
            )
        if not self.any_epsilon and epsilon != LAYER_NORM_EPS:
            return (
                f"the format {self.name} can have a layer_norm_eps of {LAYER_NORM_EPS:g} only, as "
                "Model Garden's encoder is saved without it, but the checkpoint's is "
                f"{epsilon:g}"
            )
        if pooling not in self.poolings:
            return (
                f"the format {self.name} can have `pooling: {' or '.join(self.poolings)}` only, as "
                "the classifiers of that library always use BERT's pooler, but the checkpoint was "
                f"trained with {pooling}"
            )
        return None

    def writer(self) -> Callable[[Subject, Path], None]:
        """The function that writes it. Raises `MissingPackageError`."""
        self.check_packages()
        module = importlib.import_module(f"bertsweep.export.{self.module}")
        write: Callable[[Subject, Path], None] = module.write
        return write


FORMATS = {
    one.name: one
    for one in (
        Format(
            "savedmodel",
            "TensorFlow SavedModel of raw strings",
            "savedmodel",
            1e-5,
            ("tensorflow_text",),
            ("tensorflow", "tensorflow_text"),
            any_tokenizer=False,
        ),
        Format(
            "keras",
            "Keras .h5 file",
            "keras_model",
            1e-5,
            readers=("tf_keras", "official"),
            any_epsilon=False,
        ),
        Format(
            "huggingface",
            "Hugging Face folder",
            "huggingface_folder",
            1e-4,
            readers=("transformers", "torch"),
            poolings=("pooled",),
        ),
        Format(
            "onnx",
            "ONNX graph",
            "onnx_model",
            1e-4,
            ("onnx", "onnxruntime"),
            ("onnxruntime",),
        ),
    )
}
"""Every format by its name."""


def chosen(names: Sequence[str]) -> list[Format]:
    """The formats of these names, each once, in order. Raises `InputError`."""
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        got = ", ".join(map(repr, unknown)) or "none"
        raise InputError(
            f"--format must be one or more of {','.join(FORMATS)}, but got {got}. "
            "Type, for example, --format savedmodel,onnx"
        )
    return [FORMATS[name] for name in dict.fromkeys(names)]


def installed(module: str) -> bool:
    """Whether a top-level module can be imported, without importing it."""
    return importlib.util.find_spec(module) is not None
