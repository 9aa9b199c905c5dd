"""What follows the confirmation of a sweep: the test split is read, once, the model exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.ledger import FINISHED, SweepState
from bertsweep.ranking import winner
from bertsweep.results import Sweep
from bertsweep.system import import_tensorflow_lightly

if TYPE_CHECKING:
    from bertsweep.checkpoints import Checkpoint
    from bertsweep.ledger import Subscriber
    from bertsweep.progress import Progress

EXPORT = "export"
"""The folder of the exports in that of the sweep."""


def conclude(
    sweep: Sweep,
    *,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Sweep:
    """Does what the search space file asks for after the search and was not done before.

    With `confirm`, the test split is read once the winner is confirmed. The formats of `export` are
    written to the sweep's own folder. Raises what `evaluate_test` and `export_model` raise.
    """
    spec = sweep.state.started.spec
    if sweep.state.status != FINISHED:
        return sweep
    import_tensorflow_lightly()
    if spec.get("confirm") is not None and _is_unread(sweep.state):
        from bertsweep.scoring import evaluate_test

        evaluate_test(sweep.folder, subscribers=subscribers, progress=progress, notify=notify)
        sweep = Sweep.open(sweep.folder)
    formats, to = tuple(spec.get("export") or ()), sweep.folder / EXPORT
    if formats and not to.exists():
        _, checkpoint = sweep.usable(notify=notify)
        export_checkpoint(checkpoint, sweep, to, formats, progress=progress, notify=notify)
        notify(f"exported {', '.join(formats)} to {to}")
    return sweep


def check_exports(formats: Sequence[str]) -> None:
    """Raises `InputError` for an unknown format and `MissingPackageError` for one that cannot be
    written here: before a sweep is run, not after it.
    """
    from bertsweep.export import chosen

    for form in chosen(formats):
        form.check_packages()


def export_checkpoint(
    checkpoint: Checkpoint,
    sweep: Sweep | None,
    to: Path,
    formats: Sequence[str],
    *,
    evidence: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Exports a checkpoint, of a sweep if there is one, and returns metrics.json.

    The model card tells what is on record of the checkpoint that the sweep delivers; `evidence`
    comes on top of that.
    """
    from bertsweep.export import export, validation_rows
    from bertsweep.paths import cache_root

    rows, known = None, dict[str, Any]()
    if sweep is not None:
        rows = validation_rows(sweep, cache=cache_root(), progress=progress, notify=notify)
        if checkpoint.folder.parent.name == winner(sweep.state).id:
            known = evidence_of(sweep.state)
    return export(
        checkpoint,
        to,
        formats,
        rows=rows,
        sweep=sweep,
        evidence={**known, **(evidence or {})},
        progress=progress,
        notify=notify,
    )


def evidence_of(state: SweepState) -> dict[str, Any]:
    """What is on record of the winner, for a model card: see `export.card.Findings`."""
    found: dict[str, Any] = {}
    outcome = None if state.confirmation is None else state.confirmation.outcome
    if outcome is not None:
        every = [*outcome["finalists"], *filter(None, [outcome["baseline"]])]
        chosen = next(one for one in every if one["trial"] == outcome["delivered"])
        found |= {
            "score": chosen["mean"],
            "interval": [chosen["low"], chosen["high"]],
            "verdict": outcome["verdict"]["text"],
        }
    reading = state.test
    if reading is not None and reading.result is not None:
        result, metric = reading.result, state.metric.removeprefix("val_")
        calibration = result["calibration"]
        found |= {
            "test": {
                metric: result["metrics"].get(metric),
                "95 % interval": list((result["intervals"].get(metric) or {}).values()),
                "rows": result["rows"],
                "readings of the split": len(state.tests),
            },
            "calibration": {
                name: calibration[name] for name in ("temperature", "expected_calibration_error")
            },
            "slices": [
                f"{one['slice']}: {one['metric']} {one['score']:.3f} ({one['rows']} rows)"
                for one in (*result["slices"]["length"], *result["slices"]["class"])
                if one["score"] is not None
            ],
        }
    return found


def _is_unread(state: SweepState) -> bool:
    """Whether the winner is confirmed and the test split was not read, or not to the end."""
    confirmed = state.confirmation is not None and state.confirmation.outcome is not None
    there = bool((state.started.data.get("rows") or {}).get("test"))
    return confirmed and there and (not state.tests or state.tests[-1].result is None)
