"""The best weights of a trial: written by its worker, removed by the driver, read by anyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep import atomic, checksums
from bertsweep.checkpoints import folders, predictions
from bertsweep.checkpoints.predictions import Predictions
from bertsweep.checkpoints.record import CheckpointRecord
from bertsweep.checksums import DamageError
from bertsweep.encoders import variables
from bertsweep.errors import InputError
from bertsweep.vocabulary import TOKENIZER, VOCABULARY

if TYPE_CHECKING:
    import numpy as np

    from bertsweep.checkpoints.folders import Arrays

_KIND = "best"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder whose record fits the shapes of its arrays.

    `files` are the checksums of its files, none in a folder that is older than they.
    """

    folder: Path
    record: CheckpointRecord
    files: Mapping[str, str]

    @classmethod
    def open(cls, folder: Path) -> Checkpoint:
        """Reads the record and the head of the weights; the rest is read by `verify` and `arrays`.

        Raises `InputError` when the folder is no checkpoint, is damaged, or is of a format that
        this version does not read.
        """
        try:
            return _opened(folder)
        except DamageError as error:
            raise _unusable(folder, error) from error

    @property
    def vocabulary(self) -> Path:
        """What the encoder's tokenizer knows: vocab.txt, or tokenizer.json."""
        return self.folder / _vocabulary(self.files)

    def verify(self) -> None:
        """Reads every file and compares its checksum. Raises `InputError`."""
        try:
            checksums.check_files(self.folder, self.files)
        except DamageError as error:
            raise _unusable(self.folder, error) from error

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """The weights by name, verified. Raises `InputError`."""
        try:
            return folders.load(self.folder, self.files)
        except DamageError as error:
            raise _unusable(self.folder, error) from error


@dataclass(frozen=True)
class Found:
    """What `find_best` found: the checkpoint, and why each one before it cannot be used."""

    checkpoint: Checkpoint | None
    passed_over: tuple[str, ...] = ()


def find_best(trial_folder: Path, *, recorded: str | None = None) -> Found:
    """The checkpoint of a trial to read, verified: the recorded one, else the newest good one.

    `recorded` is the name of the folder that the ledger names.
    """
    choice = {path.name: path for path in folders.numbered(trial_folder, _KIND)[::-1]}
    if recorded is not None:
        choice = {recorded: trial_folder / recorded, **choice}
    passed_over = []
    for folder in choice.values():
        try:
            checkpoint = Checkpoint.open(folder)
            checkpoint.verify()
        except InputError as error:
            passed_over.append(str(error))
        else:
            return Found(checkpoint, tuple(passed_over))
    return Found(None, tuple(passed_over))


def write_best(
    trial_folder: Path,
    record: CheckpointRecord,
    *,
    arrays: Arrays,
    vocabulary: bytes,
    vocabulary_name: str = VOCABULARY,
    predictions: Predictions | None = None,
) -> Path:
    """Writes the checkpoint of a report, unless the same is there and whole; returns its folder.

    `vocabulary` is the content of the encoder's vocabulary, and `vocabulary_name` that file's name.
    Removes no other one. Raises `OSError` or `EnvironmentFault`.
    """
    target = trial_folder / f"{_KIND}-{record.report:04d}"
    if not _holds(target, record):
        folders.write(
            target,
            record=record.to_plain(),
            arrays=arrays,
            vocabulary=vocabulary,
            vocabulary_name=vocabulary_name,
            predictions=predictions,
        )
    return target


def read_predictions(trial_folder: Path, recorded: str) -> Predictions | None:
    """What the recorded checkpoint predicts for the validation rows.

    They are there even where the checkpoint is not kept. None where they are damaged, or were
    written by a version that kept none.
    """
    for folder in (trial_folder / recorded, trial_folder):
        try:
            return predictions.read(folder / predictions.FILE)
        except DamageError:
            continue
    return None


def has_since(trial_folder: Path, name: str) -> bool:
    """Whether a checkpoint of this name (or path), or one that beat it later, is whole."""
    report = folders.number(Path(name))
    for folder in folders.numbered(trial_folder, _KIND)[::-1]:
        if folders.number(folder) < report:
            return False
        try:
            Checkpoint.open(folder).verify()
        except InputError:
            continue
        return True
    return False


def remove_superseded(trial_folder: Path, *, recorded: str, before: str | None) -> None:
    """Removes what is older than `recorded` and `before`, the one that was recorded before it.

    Removes nothing where `recorded` is not in order after all: then the older ones are needed.
    """
    if before is None or not _is_whole(trial_folder / recorded):
        return
    first = min(folders.number(Path(name)) for name in (recorded, before))
    for folder in folders.numbered(trial_folder, _KIND):
        if folders.number(folder) < first:
            atomic.remove(folder)


def keep_only(trial_folder: Path, recorded: str) -> None:
    """Removes every checkpoint but the recorded one; where that is not in order, none."""
    if not _is_whole(trial_folder / recorded):
        return
    for folder in folders.numbered(trial_folder, _KIND):
        if folder.name != recorded:
            atomic.remove(folder)


def remove_best(trial_folder: Path, *, recorded: str | None = None) -> None:
    """Removes every checkpoint of a trial; the predictions of the recorded one stay."""
    if recorded is not None:
        predictions.outlive(trial_folder / recorded)
    for folder in folders.numbered(trial_folder, _KIND):
        atomic.remove(folder)


def _opened(folder: Path) -> Checkpoint:
    plain = folders.read_record(folder)
    files = plain.pop("files")
    record = CheckpointRecord.from_plain(plain)
    _check_shapes(record, folders.shapes(folder))
    if not (folder / _vocabulary(files)).is_file():
        raise DamageError(f"{_vocabulary(files)} is missing")
    return Checkpoint(folder, record, files)


def _vocabulary(files: Mapping[str, str]) -> str:
    """The name of the file with the vocabulary, of the files that the record lists."""
    return TOKENIZER if TOKENIZER in files else VOCABULARY


def _check_shapes(record: CheckpointRecord, found: Mapping[str, tuple[int, ...]]) -> None:
    """Raises `DamageError` unless the record describes exactly the arrays that are there.

    Nothing is built from sizes in the record before this, so that no wrong one takes all memory.
    """
    config = record.encoder.config
    prefix = "encoder/transformer/"
    layers = {name.split("/")[2] for name in found if name.startswith(prefix)}
    if len(layers) != config.num_layers:
        raise DamageError(
            f"its record is wrong: it tells of {config.num_layers} layers, but the weights have "
            f"{len(layers)}"
        )
    units = 1 if len(record.labels) == 2 else len(record.labels)
    expected: dict[str, tuple[int, ...]] = {
        f"encoder/{name}": shape for name, shape in variables.shapes(config).items()
    }
    expected |= {"head/kernel": (config.hidden_size, units), "head/bias": (units,)}
    wrong = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
    if wrong:
        raise DamageError(
            f"its record does not fit the weights: {wrong[0]} should have the shape "
            f"{expected.get(wrong[0], 'of nothing')}, but has {found.get(wrong[0], 'none')}"
        )


def _holds(folder: Path, record: CheckpointRecord) -> bool:
    """Whether a folder holds, whole, what training writes there again under equal conditions."""
    try:
        there = Checkpoint.open(folder)
        there.verify()
    except InputError:
        return False
    return _conditions(there.record) == _conditions(record)


def _conditions(record: CheckpointRecord) -> tuple[Any, ...]:
    """What decides the weights; `compute` also tells how it was found, which does not."""
    compute = (record.compute.get("precision"), record.compute.get("jit"))
    encoder = record.encoder
    return (
        *(dict(record.params), record.seed, record.report, record.labels),
        *(compute, encoder.hash, encoder.config, encoder.lowercase),
    )


def _is_whole(folder: Path) -> bool:
    """Whether record, sizes and names of a checkpoint are in order, without reading all of it."""
    try:
        Checkpoint.open(folder)
    except InputError:
        return False
    return True


def _unusable(folder: Path, error: DamageError) -> InputError:
    return InputError(f"the checkpoint {folder} cannot be used: {error}.")
