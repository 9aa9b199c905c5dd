"""Full states of a trial: everything that its next training step depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep import atomic
from bertsweep.checkpoints import folders
from bertsweep.checksums import DamageError
from bertsweep.space import Scalar

if TYPE_CHECKING:
    import numpy as np

    from bertsweep.checkpoints.folders import Arrays

_KIND = "state"


@dataclass(frozen=True)
class State:
    """A full state as it was saved: its trial's parameters and seed, reports so far, and arrays."""

    params: Mapping[str, Scalar]
    seed: int
    reports: Sequence[Mapping[str, Any]]
    arrays: Arrays


def write_state(trial_folder: Path, state: State) -> Path:
    """Writes a state under the number of its last report, then removes the others of the trial.

    Raises `OSError` or `EnvironmentFault`.
    """
    last = int(state.reports[-1]["report"])
    target = trial_folder / f"{_KIND}-{last:04d}"
    plain = {
        "params": dict(state.params),
        "seed": state.seed,
        "reports": [dict(report) for report in state.reports],
    }
    folders.write(target, record=plain, arrays=state.arrays)
    for folder in folders.numbered(trial_folder, _KIND):
        if folder != target:
            atomic.remove(folder)
    return target


def newest_state(trial_folder: Path, *, params: Mapping[str, Scalar], seed: int) -> State | None:
    """The newest good state of a trial with these parameters and this seed, or None.

    A damaged one, or one of an older format, is passed over: it costs time to train again, but the
    numbers are the same.
    """
    for folder in folders.numbered(trial_folder, _KIND)[::-1]:
        try:
            state = _read(folder)
        except DamageError:
            continue
        if dict(state.params) == dict(params) and state.seed == seed:
            return state
    return None


def remove_states(trial_folder: Path) -> None:
    """Removes every state of a trial."""
    for folder in folders.numbered(trial_folder, _KIND):
        atomic.remove(folder)


def _read(folder: Path) -> State:
    record = folders.read_record(folder)
    params, seed, reports = (record.get(key) for key in ("params", "seed", "reports"))
    if not (
        record["files"]
        and isinstance(params, dict)
        and isinstance(seed, int)
        and isinstance(reports, list)
        and reports
    ):
        raise DamageError("it is not a full state of this format")
    arrays: dict[str, np.ndarray[Any, Any]] = folders.load(folder, record["files"])
    return State(params, seed, reports, arrays)
