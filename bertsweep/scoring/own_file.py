"""A checkpoint on a labelled file that its sweep never saw; the ledger is only read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bertsweep import checkpoints, results
from bertsweep.checkpoints import Checkpoint
from bertsweep.data import read_labelled
from bertsweep.errors import InputError, InterruptedSweep, LedgerError
from bertsweep.evaluation import Aim, assess
from bertsweep.ledger import SweepState
from bertsweep.paths import SweepPaths, cache_root, find_sweep
from bertsweep.progress import Progress
from bertsweep.scoring.contenders import (
    Contender,
    baseline_of,
    fixed_temperature,
    fixed_threshold,
    kept_validation,
    score,
)
from bertsweep.scoring.outcome import Evaluation
from bertsweep.seeds import derive
from bertsweep.spec import load_data
from bertsweep.usable import usable

Notify = Callable[[str], None]

_KEPT = ("text", "label", "table", "max_unpacked_gb")
"""Keys of a sweep's data that also hold for files it never saw."""


def evaluate_file(
    target: str,
    file: str,
    *,
    storage: Path,
    settings: Sequence[str] = (),
    aim: Aim | None = None,
    progress: Progress | None = None,
    notify: Notify = lambda _: None,
) -> Evaluation:
    """Scores a sweep's winner, or one checkpoint, on the labelled rows of `file`.

    `target` is a sweep, whose baseline is scored on the same rows, or the folder of a checkpoint.
    The file is read as the sweep's data were, with `settings` (`data.key=VALUE`) on top.

    Raises `InputError` and its kin for a target or file that cannot be used, `DataError` where the
    labels are not those of the checkpoint, `NoUsableTrialError`, and `InterruptedSweep` after
    Ctrl-C.
    """
    winner, baseline, state = _contenders(target, storage, aim, notify)
    record = winner.checkpoint.record
    section: dict[str, Any] = {"text": list(record.text)}
    if state is not None:
        stored = state.started.spec.get("data", {})
        section |= {key: stored[key] for key in _KEPT if key in stored}
    described = load_data({**section, "source": file}, overrides=settings)
    read = read_labelled(file, described, record.labels, cache=cache_root(), progress=progress)
    for note in read.notes:
        notify(note.message)
    if len(described.text) != len(record.text):
        kind = "pairs of texts" if len(record.text) == 2 else "single texts"
        raise InputError(
            f"the checkpoint was trained on {kind}, but data.text names {len(described.text)} "
            "columns. Name as many with --set data.text."
        )
    temperature = fixed_temperature(kept_validation(winner.checkpoint))
    metric = "average_precision" if state is None else state.metric.removeprefix("val_")
    try:
        scored = score(read.frame, winner, baseline, progress=progress)
        result = assess(
            scored.rows,
            scored.winner,
            metric=metric,
            temperature=temperature or 1.0,
            baseline=scored.baseline,
            seed=derive(record.seed, "file"),
            progress=progress,
        ).to_plain()
    except KeyboardInterrupt as error:
        raise InterruptedSweep("stopped; nothing was recorded") from error
    if baseline is not None:
        result["against_baseline"] = {"trial": baseline.trial, **result["against_baseline"]}
    return Evaluation(
        sweep=None if state is None else state.name,
        rows=file,
        trial=winner.trial,
        checkpoint=winner.checkpoint.folder,
        positive=record.labels[1] if len(record.labels) == 2 else None,
        metric=metric,
        aim=None if aim is None else str(aim),
        threshold=winner.threshold,
        temperature=temperature,
        result=result,
    )


def _contenders(
    target: str, storage: Path, aim: Aim | None, notify: Notify
) -> tuple[Contender, Contender | None, SweepState | None]:
    """The checkpoint that is meant, the baseline's where it is a sweep's winner, and the sweep."""
    folder = Path(target).expanduser().absolute()
    if any((folder / name).exists() for name in checkpoints.FILES):
        checkpoint = results.checkpoint_of(target, storage, notify=notify)
        return _contender(checkpoint.record.trial, checkpoint, aim), None, _around(folder)
    paths = find_sweep(target, storage)
    state = results.load(paths)
    trial, checkpoint = usable(state, paths, notify=notify)
    winner = _contender(trial.id, checkpoint, aim)
    beside = baseline_of(state, paths, trial, notify=notify)
    if beside is None:
        return winner, None, state
    base, other = beside
    return winner, _contender(base.id, other, aim), state


def _contender(trial: str, checkpoint: Checkpoint, aim: Aim | None) -> Contender:
    validation = None if aim is None else kept_validation(checkpoint)
    return Contender(trial, checkpoint, fixed_threshold(checkpoint, aim, validation))


def _around(checkpoint: Path) -> SweepState | None:
    """The sweep that a checkpoint lies in; None outside of any, or where its ledger is damaged."""
    for folder in checkpoint.parents:
        paths = SweepPaths(folder)
        if paths.ledger.is_file():
            try:
                return results.load(paths)
            except LedgerError:
                return None
    return None
