"""What a space asks of its encoders, held against the sizes of each."""

from __future__ import annotations

from collections.abc import Mapping

from bertsweep.encoders import PreparedEncoder
from bertsweep.encoders.config import LAYER_NORM_EPS
from bertsweep.errors import InputError
from bertsweep.space import Scalar
from bertsweep.spec import SweepSpec
from bertsweep.spec.conditions import needed
from bertsweep.spec.hyperparameters import ENCODER
from bertsweep.spec.search_checks import largest
from bertsweep.spec.values import default
from bertsweep.vocabulary import TOKENIZER


def check_space(spec: SweepSpec, encoders: Mapping[str, PreparedEncoder]) -> None:
    """Raises `InputError` where a trial could ask for more than its encoder has.

    `encoders` are by name, which is "" for the only one of a sweep without names.
    """
    for name, encoder in encoders.items():
        config = encoder.config
        limits = {
            "max_seq_length": (config.max_position_embeddings, "positions"),
            "trainable_layers": (config.num_layers, "layers"),
            "reinit_layers": (config.num_layers, "layers"),
        }
        for parameter, (limit, what) in limits.items():
            asked = _asked(spec, parameter, name)
            over = [value for value in asked if not isinstance(value, str) and value > limit]
            if over:
                called = f"{name} ({encoder.source})" if name else encoder.source
                raise InputError(
                    f"space -> {parameter}: the encoder {called} has {limit} {what}, but the space "
                    f"or the baseline asks for {max(over)}. "
                    + _advice(spec, parameter, name, limit, encoders)
                )


def _advice(
    spec: SweepSpec,
    parameter: str,
    name: str,
    limit: int,
    encoders: Mapping[str, PreparedEncoder],
) -> str:
    advice = f"Use {limit} at most"
    others = ", ".join(other for other in encoders if other != name)
    if others and parameter in spec.space and limit >= _default(parameter):
        advice += f", or give it `when: {{{ENCODER}: [{others}]}}`: {name} then has the default"
    if parameter not in spec.space:
        advice += f", and `baseline: {{{parameter}: {limit}}}`"
    return f"{advice}."


def _asked(spec: SweepSpec, parameter: str, encoder: str) -> list[Scalar]:
    """What the baseline, the warm starts and the space ask of an encoder."""
    named = [spec.baseline, *map(spec.hyperparameters, spec.search.warm_start)]
    asked: list[Scalar] = [getattr(point, parameter) for point in named if point.encoder == encoder]
    space = spec.space
    if encoder and encoder not in (space[ENCODER].domain.grid() or ()):
        return asked
    conditions = needed(space[parameter], space) if parameter in space else {}
    if encoder and encoder not in conditions.get(ENCODER, {encoder}):
        return [*asked, _default(parameter)]
    return [*asked, largest(space, parameter)]


def _default(parameter: str) -> int:
    usual = default(parameter)
    return 0 if isinstance(usual, str) else int(usual)


def check_export(spec: SweepSpec, encoders: Mapping[str, PreparedEncoder]) -> None:
    """Raises `InputError` where the winner could be of an encoder that a format cannot have.

    `export` refuses the same, but only when the sweep is over.
    """
    for name, encoder in encoders.items():
        called = f"{name} ({encoder.source})" if name else encoder.source
        if "savedmodel" in spec.export and encoder.vocabulary.name == TOKENIZER:
            raise InputError(
                "export: the format savedmodel needs an encoder of word pieces, as TensorFlow "
                f"cannot compute other tokenizers, but {called} has another. Leave savedmodel out."
            )
        if "keras" in spec.export and encoder.config.layer_norm_eps != LAYER_NORM_EPS:
            raise InputError(
                f"export: the format keras needs a layer_norm_eps of {LAYER_NORM_EPS:g}, but that "
                f"of {called} is {encoder.config.layer_norm_eps:g}. Leave keras out."
            )
