"""What is explored: a search space file, a file of data, or a sweep."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bertsweep import encoders
from bertsweep.draft import look, name_for
from bertsweep.encoders import EncoderConfig, PreparedEncoder
from bertsweep.errors import InputError, SweepNotFoundError
from bertsweep.paths import find_sweep
from bertsweep.results import Sweep
from bertsweep.scoring.measuring import spec_of
from bertsweep.space import Choice, Fixed
from bertsweep.spec import SweepSpec, load
from bertsweep.spec.data_models import Data
from bertsweep.spec.models import Encoder, Tracking

_SPACE = (".yaml", ".yml")


@dataclass(frozen=True)
class Subject:
    """Data, and what is known of the model that they are for.

    `lengths` are the values of `max_seq_length` in question, `trainable` those of
    `trainable_layers`. Relative paths are looked up from the working folder, then from `base`.
    """

    name: str
    data: Data
    base: Path
    encoder: Encoder | None = None
    lengths: tuple[int, ...] = ()
    trainable: tuple[int | str, ...] = ("all",)
    sweep: Sweep | None = None
    tracking: Tracking = field(default_factory=Tracking)
    notes: tuple[str, ...] = ()

    def encoder_at_hand(self, cache: Path, notify: Callable[[str], None]) -> PreparedEncoder | None:
        """The encoder, where that takes no download."""
        if self.encoder is None:
            return None
        return encoders.encoder_at_hand(self.encoder, cache=cache, base=self.base, notify=notify)


def find_subject(
    named: str,
    *,
    text: Sequence[str] = (),
    label: str | None = None,
    encoder: str | None = None,
    settings: Sequence[str] = (),
    storage: Path,
    cache: Path,
) -> Subject:
    """Returns what is meant by a name: a file ending in .yaml, data, or a sweep.

    Columns and encoder are of data alone, `settings` (`key.path=VALUE`) of data and of a search
    space file.
    Raises `InputError` (`SpecError`, `DataError`, …) for what cannot be read.
    """
    path = Path(named).expanduser()
    options = {"--text": text, "--label": label, "--encoder": encoder}
    if path.suffix.lower() in _SPACE:
        _refuse(options, f"{named} says that itself: --set changes it")
        return _of_spec(load(path, overrides=settings), path.absolute().parent)
    if not path.is_file() and "://" not in named and not named.startswith("builtin:"):
        try:
            found = find_sweep(named, storage)
        except SweepNotFoundError:
            pass
        else:
            _refuse({**options, "--set": settings}, f"the sweep {named} says that itself")
            return _of_sweep(Sweep.open(found.folder))
    looked = look(named, text=text, label=label, settings=settings, cache=cache)
    source = None if encoder is None else Encoder(source=encoder)
    return Subject(name_for(named), looked.data, Path.cwd(), source, notes=looked.notes)


def _refuse(options: Mapping[str, object], why: str) -> None:
    given = [name for name, value in options.items() if value]
    if given:
        raise InputError(f"{', '.join(given)} has no effect here: {why}. Leave it out.")


def _of_spec(spec: SweepSpec, base: Path, sweep: Sweep | None = None) -> Subject:
    lengths = {spec.baseline.max_seq_length, *_values(spec, "max_seq_length")}
    layers = {spec.baseline.trainable_layers, *_values(spec, "trainable_layers")}
    return Subject(
        spec.name,
        spec.data,
        base,
        spec.encoders[spec.baseline.encoder],
        tuple(sorted(int(length) for length in lengths)),
        ("all", *sorted(int(top) for top in layers if top != "all")),
        sweep,
        spec.tracking,
        notes=_which(spec),
    )


def _which(spec: SweepSpec) -> tuple[str, ...]:
    """Says which of several encoders is looked at."""
    name = spec.baseline.encoder
    if len(spec.encoders) == 1:
        return ()
    return (f"of the encoders {', '.join(spec.encoders)} this is about {name}, the baseline's",)


def _of_sweep(sweep: Sweep) -> Subject:
    return _of_spec(spec_of(sweep.state), Path(sweep.state.started.base), sweep)


def _values(spec: SweepSpec, name: str) -> Collection[int | str]:
    """The values of a parameter in the space; of a range, its ends."""
    if name not in spec.space:
        return ()
    domain = spec.space[name].domain
    if isinstance(domain, Fixed):
        return (domain.value,)  # type: ignore[return-value]
    if isinstance(domain, Choice):
        return domain.options  # type: ignore[return-value]
    return (int(domain.low), int(domain.high))


def positions(config: EncoderConfig | None) -> int:
    """The longest row that the encoder can read; BERT's where none is known."""
    return 512 if config is None else config.max_position_embeddings
