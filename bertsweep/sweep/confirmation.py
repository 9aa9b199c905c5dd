"""The confirmation of a winner on record: who the finalists are, and what their repeats came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bertsweep import selection
from bertsweep.errors import NoUsableTrialError
from bertsweep.kept_predictions import selection_of
from bertsweep.ledger import Confirmation, Ledger, SweepState
from bertsweep.ledger.events import ConfirmationEnded, ConfirmationStarted
from bertsweep.paths import SweepPaths
from bertsweep.ranking import best_repeat, ranking
from bertsweep.seeds import derive
from bertsweep.spec import Confirm, SweepSpec
from bertsweep.spec.hyperparameters import ENCODER
from bertsweep.sweep import refit
from bertsweep.sweep.further import eligible, takes_baseline
from bertsweep.sweep.repeats import Race, Repeat, scores_of
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
    state = ledger.state
    begun = state.confirmation
    if begun is not None and begun.outcome is None and Confirm(**begun.settings) == settings:
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
            settings=settings.model_dump(mode="json"),
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


def refit_of(
    ledger: Ledger, paths: SweepPaths, *, tokens: Mapping[str, Path], seed: int, notify: Notify
) -> Repeat | None:
    """The refit that follows when all repeats have ended; None where none is wanted or possible."""
    state = ledger.state
    if not refit.is_wanted(_recorded(state)) or not any(_scores(state).values()):
        return None
    name = _outcome(state, tokens)["delivered"]
    found = refit.planned(state, paths, name, seed=seed)
    if found is None or found.refit is None:
        notify(f"{name} is not refitted: no repeat of it kept what it predicted")
        return None
    if found.id not in state.repeats:
        notify(
            f"{name} is trained once more, on training and validation rows, for "
            f"{found.refit.epoch:g} epochs: the median of its repeats' best"
        )
    return found


def end_confirmation(
    ledger: Ledger, *, tokens: Mapping[str, Path], notify: Notify, refitted: Repeat | None = None
) -> None:
    """Writes what the repeats came to, and which checkpoint is delivered.

    That is the refit's, where there is one; else the best repeat's, by validation, of the chosen
    finalist, or of the baseline where its mean is better and the rule of several objectives takes
    it. `tokens` are the folders of the sweep's tokens by the encoder's name. Raises
    `NoUsableTrialError` where no repeat has a score.
    """
    state = ledger.state
    plain = _outcome(state, tokens)
    delivered, about = best_repeat(state, plain["delivered"]), None
    if refitted is not None:
        trial = state.repeats.get(refitted.id)
        about = refit.told(refitted, trial)
        if trial is not None and trial.checkpoint is not None:
            delivered = trial
        else:
            notify(f"the refit {refitted.id} failed: delivered is the best repeat instead")
    name = None if delivered is None else delivered.id
    plain = {**plain, "repeat": name, "refit": about}
    ledger.append(ConfirmationEnded(outcome=plain, delivered=name))
    notify(plain["verdict"]["text"])


def _outcome(state: SweepState, tokens: Mapping[str, Path]) -> dict[str, Any]:
    """What the repeats came to, and in `delivered` whose checkpoint is to be used."""
    confirmation = _recorded(state)
    scores = {name: one for name, one in _scores(state).items() if one}
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
        why = (
            "the validation rows rank all others below"
            if len(state.goals) == 1
            else f"it is what the rule picks (prefer: {state.preference})"
        )
        plain["verdict"]["text"] = f"{name}, the baseline, is the winner: {why}."
    return {**plain, "delivered": name, "vary": confirmation.settings.get("vary", ["seed"])}


def _scores(state: SweepState) -> Scores:
    return scores_of(state.repeats, _recorded(state))


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


def _cost(state: SweepState, finalist: str, tokens: Mapping[str, Path]) -> float:
    """What prediction takes: word pieces of a mean validation row, once cut.

    Where encoders have names, times what each piece takes of multiplications in dense layers.
    """
    params = state.trials[finalist].params
    name, length = str(params.get(ENCODER, "")), int(params["max_seq_length"])
    pieces = float(Tokens.open(tokens[name], "validation").lengths(length).mean())
    if not name:
        return pieces
    sizes = state.started.encoder_of(params)["config"]
    hidden, inner = sizes["hidden_size"], sizes["intermediate_size"]
    return pieces * float(sizes["num_layers"] * hidden * (4 * hidden + 2 * inner))
