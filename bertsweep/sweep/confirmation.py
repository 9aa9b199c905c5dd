"""The confirmation of a winner on record: who the finalists are, and what their repeats came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bertsweep import selection
from bertsweep.errors import NoUsableTrialError
from bertsweep.kept_predictions import selection_of
from bertsweep.ledger import Confirmation, Ledger, SweepState
from bertsweep.ledger.events import ConfirmationEnded, ConfirmationStarted
from bertsweep.paths import SweepPaths
from bertsweep.ranking import best_repeat, ranking
from bertsweep.seeds import derive
from bertsweep.spec import Confirm, SweepSpec
from bertsweep.sweep.further import eligible, takes_baseline
from bertsweep.sweep.repeats import Race, scores_of
from bertsweep.tokens import Tokens

Notify = Callable[[str], None]
Scores = Mapping[str, Mapping[int, float]]
"""Trial → seed → value."""


def confirm_settings(spec: SweepSpec, state: SweepState) -> Confirm | None:
    """What is confirmed with after a search: as was begun and has not ended, else as the spec says.

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


def race_of(ledger: Ledger) -> Race:
    """Who can no longer win, by `selection.losers`; the baseline stays, to be compared with."""

    def race(scores: Mapping[str, Mapping[int, float]]) -> Mapping[str, str]:
        state, confirmation = ledger.state, _recorded(ledger.state)
        finalists, baseline = _apart(state, {n: one for n, one in scores.items() if one})
        lost = selection.losers(
            finalists,
            mode=state.mode,
            rounds=len(confirmation.seeds),
            baseline=baseline,
            stopped=confirmation.dropped,
        )
        done = min(len(one) for one in finalists.values())
        why = f"behind by more than the noise of {done} seeds explains"
        return dict.fromkeys(lost, why)

    return race


def end_confirmation(ledger: Ledger, *, tokens: Path, notify: Notify) -> None:
    """Writes what the repeats came to, and which checkpoint is delivered.

    That is the best repeat's, by validation, of the chosen finalist; of the baseline where its mean
    is better than that of the chosen one, and the rule of several objectives takes it. `tokens` is
    the folder of the sweep's tokens. Raises `NoUsableTrialError` where no repeat has a score.
    """
    state = ledger.state
    confirmation = _recorded(state)
    scores = {n: one for n, one in scores_of(state.repeats, confirmation).items() if one}
    if not scores:
        raise NoUsableTrialError(
            f"all repeats of {', '.join(confirmation.finalists)} failed, so nothing was confirmed. "
            f"`bertsweep show {state.name}` says why each did."
        )
    finalists, baseline = _apart(state, scores)
    costs = {name: _cost(state, name, tokens) for name in finalists}
    outcome = selection.confirm(
        finalists,
        mode=state.mode,
        trials=len(ranking(state)),
        baseline=baseline,
        stopped=confirmation.dropped,
        costs=costs if confirmation.settings.get("prefer") != "simpler" else None,
        simplicity=sorted(finalists, key=costs.__getitem__),
    )
    name, plain = outcome.chosen, outcome.to_plain()
    if baseline is not None and state.baseline is not None:
        plain["baseline"]["trial"] = state.baseline.id
        if (outcome.verdict.difference or 0.0) < 0 and takes_baseline(state, outcome):
            name = state.baseline.id
    elif state.baseline is not None and name == state.baseline.id:
        plain["verdict"]["text"] = (
            f"{name}, the baseline, is the winner: the validation rows rank all others below."
        )
    delivered = best_repeat(state, name)
    plain = {
        **plain,
        "delivered": name,
        "repeat": None if delivered is None else delivered.id,
        "vary": confirmation.settings.get("vary", ["seed"]),
    }
    ledger.append(
        ConfirmationEnded(outcome=plain, delivered=None if delivered is None else delivered.id)
    )
    notify(plain["verdict"]["text"])


def _recorded(state: SweepState) -> Confirmation:
    if state.confirmation is None:
        raise LookupError("no confirmation is on record")
    return state.confirmation


def _apart(state: SweepState, scores: Scores) -> tuple[Scores, Mapping[int, float] | None]:
    """The scores of the finalists and of the baseline; where it alone was repeated, it is one."""
    baseline = state.baseline
    if baseline is None or baseline.id not in scores or len(scores) == 1:
        return scores, None
    return {n: one for n, one in scores.items() if n != baseline.id}, scores[baseline.id]


def _finalists(
    state: SweepState, paths: SweepPaths, most: int
) -> tuple[tuple[str, ...], selection.Selection | None]:
    """The best trials that cannot be told apart, at most so many, and the baseline.

    Of several objectives see `eligible`.
    """
    chosen, baseline = selection_of(state, paths), state.baseline
    ranked = [trial.id for trial in ranking(state)]
    tied = eligible(state, ranked if chosen is None else chosen.not_distinguishable)
    names = [name for name in tied if baseline is None or name != baseline.id][:most]
    if baseline is not None and baseline.value is not None:
        names.append(baseline.id)
    return tuple(names), chosen


def _cost(state: SweepState, finalist: str, tokens: Path) -> float:
    """Word pieces of a mean validation row, once cut: what prediction takes with one encoder."""
    length = int(state.trials[finalist].params["max_seq_length"])
    return float(Tokens.open(tokens, "validation").lengths(length).mean())
