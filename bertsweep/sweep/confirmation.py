"""The confirmation of a winner on record: who the finalists are, and what their repeats came to."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping

from bertsweep import selection
from bertsweep.choice import selection_of
from bertsweep.ledger import Confirmation, Ledger, SweepState
from bertsweep.ledger.events import ConfirmationEnded, ConfirmationStarted
from bertsweep.paths import SweepPaths
from bertsweep.ranking import best_repeat, ranking
from bertsweep.seeds import derive
from bertsweep.spec import Confirm, SweepSpec
from bertsweep.sweep.repeats import Race, repeats_of, scores_of

Notify = Callable[[str], None]


def confirm_settings(spec: SweepSpec, state: SweepState) -> Confirm | None:
    """What a resume confirms with: as a confirmation was begun that has not ended, else the spec's.

    None where nothing is to be confirmed, or already was.
    """
    if state.confirmation is None:
        return spec.confirm
    if state.confirmation.outcome is None:
        return Confirm(**state.confirmation.settings)
    return None


def begin_confirmation(
    ledger: Ledger, paths: SweepPaths, settings: Confirm, *, seed: int, notify: Notify
) -> None:
    """Writes who the finalists are, unless the same confirmation was begun and has not ended."""
    plain, state = settings.model_dump(mode="json"), ledger.state
    begun = state.confirmation
    if begun is not None and begun.outcome is None and begun.settings == plain:
        return
    finalists, chosen = _finalists(state, paths, settings.finalists)
    redrawn = "split" in settings.vary
    seeds = tuple(derive(seed, "confirm", number) for number in range(settings.seeds))
    ledger.append(
        ConfirmationStarted(
            finalists=finalists,
            seeds=seeds,
            splits=tuple(derive(one, "split") if redrawn else None for one in seeds),
            selection={} if chosen is None else chosen.to_plain(),
            settings=plain,
        )
    )
    if chosen is None:
        notify("predictions of the trials are not kept; the finalists are the best by their score")
    notify(
        f"confirming {', '.join(finalists)} with {settings.seeds} fresh seeds each"
        + (", on splits drawn anew" if redrawn else "")
    )


def race_of(state: SweepState) -> Race:
    """Who can no longer win, by `selection.losers`; the baseline stays, to be compared with."""
    sign, baseline = state.sign, state.baseline

    def race(scores: Mapping[str, Mapping[int, float]]) -> Mapping[str, str]:
        confirmation = state.confirmation
        if confirmation is None:
            return {}
        signed = {
            name: {seed: sign * value for seed, value in values.items()}
            for name, values in scores.items()
        }
        lost = selection.losers(signed, rounds=len(confirmation.seeds))
        return {n: why for n, why in lost.items() if baseline is None or n != baseline.id}

    return race


def end_confirmation(ledger: Ledger, *, notify: Notify) -> None:
    """Writes what the repeats came to, and which checkpoint is delivered."""
    state = ledger.state
    confirmation = state.confirmation
    if confirmation is None:
        raise LookupError("no confirmation is on record")
    scores = {n: values for n, values in scores_of(state.repeats, confirmation).items() if values}
    baseline = state.baseline
    outcome = selection.confirm(
        scores,
        mode=state.mode,
        baseline=baseline.id if baseline is not None and baseline.id in scores else None,
        costs={name: _cost(state, confirmation, name) for name in scores},
        trials=len(ranking(state)),
        prefer=confirmation.settings.get("prefer", "cheaper"),
    )
    delivered = best_repeat(state, outcome.chosen)
    ledger.append(
        ConfirmationEnded(
            outcome=outcome.to_plain(), delivered=None if delivered is None else delivered.id
        )
    )
    notify(outcome.text)


def _finalists(
    state: SweepState, paths: SweepPaths, most: int
) -> tuple[tuple[str, ...], selection.Selection | None]:
    """The best trials that cannot be told apart, at most so many, and the baseline."""
    chosen = selection_of(state, paths)
    tied = [trial.id for trial in ranking(state)] if chosen is None else chosen.not_distinguishable
    names = list(tied[:most])
    baseline = state.baseline
    if baseline is not None and baseline.value is not None and baseline.id not in names:
        names.append(baseline.id)
    return tuple(names), chosen


def _cost(state: SweepState, confirmation: Confirmation, finalist: str) -> float:
    """Seconds that an evaluation took: what a prediction costs, but for a constant factor."""
    seconds = [
        report["system"]["evaluation_seconds"]
        for name, _, _ in repeats_of(confirmation, finalist)
        if name in state.repeats
        for report in state.repeats[name].reports
        if "evaluation_seconds" in report["system"]
    ]
    return statistics.median(seconds) if seconds else 0.0
