"""The stages of a sweep: the search, the confirmation of its winner, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bertsweep.errors import EnvironmentFault, InterruptedSweep
from bertsweep.ledger import INTERRUPTED, Ledger, SweepState, Update
from bertsweep.ledger.events import ComputeChosen, SweepEnded, TrialInterrupted
from bertsweep.ranking import winner
from bertsweep.spec.models import Confirm
from bertsweep.sweep.conductor import SweepConductor
from bertsweep.sweep.confirmation import (
    begin_confirmation,
    confirm_settings,
    end_confirmation,
    race_of,
    refit_of,
)
from bertsweep.sweep.experiment import Experiment, conduct
from bertsweep.sweep.repeats import RepeatConductor

Notify = Callable[[str], None]


def finish(experiment: Experiment, notify: Notify) -> SweepState:
    """Searches, confirms the winner where that is wanted, and writes how the sweep ended."""
    ledger = experiment.ledger
    reason = _search(experiment, notify)
    usable = any(trial.checkpoint for trial in ledger.state.trials.values())
    # Only now: new trials make an earlier confirmation void.
    settings = confirm_settings(experiment.spec, ledger.state)
    if usable and settings is not None:
        confirm_winner(experiment, settings, notify)
    ledger.append(SweepEnded(status="finished" if usable else "failed", reason=reason))
    winner(ledger.state)
    return ledger.state


def _search(experiment: Experiment, notify: Notify) -> str | None:
    """Runs the trials that are left; returns why there are fewer than the budget allows."""
    ledger, folder = experiment.ledger, experiment.paths.folder
    ledger.subscribe(lambda update: _announce(update, notify))
    if experiment.stops_nothing:
        steps = experiment.spec.search.scheduler.grace_steps
        notify(
            f"no trial will be stopped early: with so few rows the longest ends within {steps} "
            "steps; a smaller search.scheduler.grace_steps lets the weak ones stop"
        )
    experiment.search()
    conductor = experiment.conductor
    _go_on_or_raise(experiment, conductor)
    if conductor.hopeless:
        reason = "the baseline and all other trials failed, so no more were started"
        notify(f"{reason}; `bertsweep show {folder.name}` says why each did")
        return reason
    if conductor.all_tried:
        reason = "every point of the space was tried"
        notify(f"{reason}, by {len(ledger.state.trials)} trials; a wider space has more")
        return reason
    if conductor.enough:
        used = ledger.state.bounds.used(conductor.spent())
        notify(f"the search ends early: {conductor.enough} (used: {used})")
    return conductor.enough


def confirm_winner(experiment: Experiment, settings: Confirm, notify: Notify) -> None:
    """Repeats the finalists, refits the winner where that is wanted, and writes what came of it."""
    spec, ledger, paths = experiment.spec, experiment.ledger, experiment.paths
    begin_confirmation(ledger, paths, settings, seed=spec.seed, notify=notify)
    folders = experiment.prepared.token_folders
    conductor = RepeatConductor(
        job=experiment.job,
        ledger=ledger,
        retention=experiment.conductor.retention,
        race=race_of(ledger),
        stop_requested=experiment.stopping.is_set,
        stop=experiment.stopping.set,
        refit=lambda: refit_of(ledger, paths, tokens=folders, seed=spec.seed, notify=notify),
    )
    conductor.catch_up()
    if conductor.left:
        # A place that the search did not use stays taken: another beside it would wait for ever.
        experiment.placement.start(experiment.job, spec.baseline.to_point(), trials=conductor.left)
        conduct(
            conductor,
            placement=experiment.placement,
            scratch=paths.scratch,
            trainable=experiment.trainable,
        )
    _go_on_or_raise(experiment, conductor)
    end_confirmation(
        ledger,
        tokens=folders,
        notify=notify,
        refitted=conductor.refitted,
    )


def _go_on_or_raise(experiment: Experiment, conductor: SweepConductor | RepeatConductor) -> None:
    """Writes and raises that the sweep was stopped, or that it cannot go on here, if so."""
    folder = experiment.paths.folder
    if experiment.stopping.is_set():
        _interrupt(experiment.ledger, conductor.unfinished, "stopped by the user")
        raise InterruptedSweep(
            f"stopped; nothing that was done is lost. Go on with: bertsweep resume {folder}"
        )
    if conductor.broken is not None:
        _interrupt(experiment.ledger, conductor.unfinished, conductor.broken)
        raise EnvironmentFault(
            f"the sweep cannot go on: {conductor.broken}\nWhat was done is kept, and trials that "
            f"failed of this run again. When it is mended: bertsweep resume {folder}"
        )


def _interrupt(ledger: Ledger, unfinished: Sequence[str], reason: str) -> None:
    for trial in unfinished:
        ledger.append(TrialInterrupted(trial=trial))
    ledger.append(SweepEnded(status=INTERRUPTED, reason=reason))


def _announce(update: Update, notify: Notify) -> None:
    """Says what the trials compute in, where that was found by a probe."""
    if not isinstance(update.event, ComputeChosen):
        return
    compute = update.event.compute
    if "examples_per_second" not in compute:
        return
    rates = ", ".join(f"{way} {rate:g}" for way, rate in compute["examples_per_second"].items())
    notify(
        f"trials compute in {compute['precision']}{' with XLA' if compute['jit'] else ''}; "
        f"examples/s in a probe on {compute['device']}: {rates}"
    )
