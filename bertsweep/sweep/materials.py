"""Everything a sweep needs before its first trial: data, encoder and tokens, checked together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bertsweep import data, encoders, tokens
from bertsweep.data import Dataset
from bertsweep.encoders import PreparedEncoder
from bertsweep.errors import InputError
from bertsweep.metrics import AUTO
from bertsweep.progress import Progress
from bertsweep.spec import Confirm, SweepSpec
from bertsweep.spec.hyperparameters import MOST_STEPS
from bertsweep.spec.models import Encoder
from bertsweep.spec.search_checks import largest, smallest
from bertsweep.sweep.limits import check_export, check_space
from bertsweep.training.batches import steps_per_epoch


@dataclass(frozen=True)
class Materials:
    """Clean split data and the folders of encoders: enough for workers to get warm."""

    dataset: Dataset
    encoders: Mapping[str, PreparedEncoder]
    """By name; the only one of a sweep whose encoder has no name has the name ""."""

    @property
    def encoder(self) -> PreparedEncoder:
        """The first encoder, which is the only one where it has no name."""
        return next(iter(self.encoders.values()))

    @property
    def text_columns(self) -> int:
        """1 for single texts, 2 for pairs."""
        return 2 if "text_b" in self.dataset.splits["train"].columns else 1

    def facts(self) -> dict[str, Any]:
        """What the ledger records of data and encoder, as plain values."""
        return {
            "data": {
                "hash": self.dataset.hash,
                "labels": list(self.dataset.labels),
                "text_columns": self.text_columns,
                "rows": {name: len(frame) for name, frame in self.dataset.splits.items()},
                "notes": [note.message for note in self.dataset.notes],
            },
            "encoder": self._encoder_facts(),
        }

    def _encoder_facts(self) -> dict[str, Any]:
        """Hash, source and sizes; of encoders with names, those of each besides a common hash."""
        each = {
            name: {
                "hash": encoder.hash,
                "source": encoder.source,
                "config": asdict(encoder.config),
            }
            for name, encoder in self.encoders.items()
        }
        if "" in each:
            return each[""]
        hashes = json.dumps({name: one["hash"] for name, one in each.items()}, sort_keys=True)
        return {
            "hash": hashlib.sha256(hashes.encode()).hexdigest()[:32],
            "source": ", ".join(f"{name}: {one['source']}" for name, one in each.items()),
            "named": each,
        }


@dataclass(frozen=True)
class Prepared(Materials):
    """The same with a tokens folder for each encoder."""

    token_folders: Mapping[str, Path]

    @property
    def tokens(self) -> Path:
        """That of the first encoder; labels and the order of rows are the same in all."""
        return next(iter(self.token_folders.values()))


def prepare_materials(
    spec: SweepSpec,
    *,
    cache: Path,
    base: Path,
    progress: Progress | None,
    notify: Callable[[str], None],
) -> Prepared:
    """All of it, from `cache` where it can; raises what `load_materials` raises."""
    materials = load_materials(spec, cache=cache, base=base, progress=progress, notify=notify)
    return tokenise(materials, cache=cache, progress=progress, notify=notify)


def load_materials(
    spec: SweepSpec,
    *,
    cache: Path,
    base: Path,
    progress: Progress | None,
    notify: Callable[[str], None],
) -> Materials:
    """Prepares the encoders, loads and splits the data: all that a user's mistake can spoil.

    Raises `DataError`, `EncoderError`, `DownloadError`, and `InputError` for a space or an
    export that an encoder cannot serve, and for trials that would be longer than any may be.
    """
    found = {
        name: encoders.prepare_encoder(
            encoder, cache=cache, base=base, progress=progress, notify=notify
        )
        for name, encoder in spec.encoders.items()
    }
    check_different(found)
    check_space(spec, found)
    check_export(spec, found)
    dataset = data.prepare(spec.data, cache=cache, base=base, progress=progress)
    check_length(spec, **rows_of(dataset, spec.confirm))
    for name, encoder in found.items():
        for said in encoder.notes:
            notify(f"{name}: {said}" if name else said)
    for note in dataset.notes:
        notify(note.message)
    if spec.objective.threshold != AUTO and dataset.positive is None:
        notify(
            f"objective.threshold has no effect with {len(dataset.labels)} classes: the likeliest "
            "one is predicted."
        )
    return Materials(dataset, found)


def tokenise(
    materials: Materials,
    *,
    cache: Path,
    progress: Progress | None,
    notify: Callable[[str], None] = lambda _: None,
) -> Prepared:
    """Adds the tokens, which are made once for the same data and vocabulary."""
    folders = {
        name: tokens.tokenize_dataset(
            materials.dataset,
            vocabulary=encoder.vocabulary,
            lowercase=encoder.lowercase,
            cache=cache,
            progress=progress,
            notify=notify,
        )
        for name, encoder in materials.encoders.items()
    }
    return Prepared(materials.dataset, materials.encoders, folders)


def with_absolute_paths(spec: SweepSpec, base: Path) -> SweepSpec:
    """The specification with every local path absolute: a resume may begin in another folder.

    Relative ones are looked up from the working folder, then from `base`; that of a database from
    the working folder alone. Raises `DataError` or `EncoderError` where one is not there.
    """
    search, scheme = spec.search, "sqlite:///"
    storage = search.storage or ""
    if storage.startswith(scheme) and not storage.startswith(f"{scheme}/"):
        file = Path.cwd() / storage.removeprefix(scheme)
        search = search.model_copy(update={"storage": f"{scheme}{file}"})
    settled = {
        "data": data.absolute(spec.data, base),
        "encoder": settled_encoders(spec, base),
        "search": search,
    }
    return spec.model_copy(update=settled)


def settled_encoders(spec: SweepSpec, base: Path) -> Encoder | dict[str, Encoder]:
    """The section `encoder` with absolute paths. Raises `EncoderError`."""
    settled = {name: encoders.absolute(one, base) for name, one in spec.encoders.items()}
    return settled.get("", settled)


def check_different(found: Mapping[str, PreparedEncoder]) -> None:
    """Raises `InputError` for two names of one encoder, whose trials would be the same."""
    seen: dict[str, str] = {}
    for name, encoder in found.items():
        other = seen.setdefault(encoder.hash, name)
        if other != name:
            raise InputError(
                f"encoder -> {name}: encoders must differ, but {name} ({encoder.source}) is the "
                f"same as {other} ({found[other].source}). Leave one of them out."
            )


def rows_of(dataset: Dataset, confirm: Confirm | None) -> dict[str, int]:
    """The rows that trials train on, and those that the refit of a confirmation adds to them."""
    added = confirm is not None and confirm.refit != "none"
    splits = dataset.splits
    return {"rows": len(splits["train"]), "added": len(splits["validation"]) if added else 0}


def check_length(spec: SweepSpec, *, rows: int, added: int = 0) -> None:
    """Raises `InputError` where a trial on `rows` training rows could take too many steps, or a
    refit on those and the validation rows that are `added`.

    The longest is that of most epochs and smallest batches, whether or not a condition keeps the
    two apart: such numbers are a mistake in either case.
    """
    rows += added
    which = "training and validation rows, for `confirm: {refit: …}`," if added else "training rows"
    whole = [spec.baseline, *map(spec.hyperparameters, spec.search.warm_start)]
    asked = [(one.epochs, one.batch_size) for one in whole]
    asked.append((largest(spec.space, "epochs"), smallest(spec.space, "batch_size")))
    epochs, batch_size = max(asked, key=lambda one: one[0] * steps_per_epoch(rows, one[1]))
    per_epoch = steps_per_epoch(rows, batch_size)
    if epochs * per_epoch > MOST_STEPS:
        fits = MOST_STEPS // per_epoch
        advice = (
            f"Use {fits:,} epochs at most, or a larger batch_size"
            if fits
            else (f"Use a batch_size of {-(-rows // MOST_STEPS)} at least")
        )
        raise InputError(
            f"space -> epochs: a trial can take {MOST_STEPS:,} optimizer steps at most, but the "
            f"space or the baseline asks for {epochs * per_epoch:,} (epochs {epochs:,} of "
            f"{rows:,} {which} in batches of batch_size {batch_size:,}). {advice}."
        )
