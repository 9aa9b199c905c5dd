"""How an exported checkpoint was found, in the words of its model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bertsweep.ledger import SweepState, TrialState


def story(state: SweepState, trial: TrialState, *, value: str, epoch: float) -> list[str]:
    """Sentences as Markdown, on what trial or repeat the checkpoint is of, and why that one.

    `value` is its score, as it is to be shown, and `epoch` the epochs that it was trained.
    """
    count, sweep = f"**{len(state.trials)} trials**", f"the sweep `{state.name}`"
    better = "higher" if state.mode == "max" else "lower"
    by = f"by {state.metric} ({better} is better)"
    here = f"`{trial.id}`, after {epoch:g} epoch{'' if epoch == 1 else 's'}, {value}"
    baseline, best = state.baseline, state.trials.get(state.leader or "")
    other = "" if baseline is None else f"; the baseline configuration reached {_of(baseline)}"
    if trial.repeats is not None:
        seen = "" if best is None else f" The best of them was `{best.id}`, {_of(best)}{other}."
        if baseline is not None and best is baseline:
            seen = f" The best of them was the baseline configuration, `{best.id}`, {_of(best)}."
        return [
            f"The search of {sweep} compared {count} {by}.{seen}",
            *_repeated(state, trial),
            f"It is {here}{', which its repeats reached on average' if trial.refit else ''}.",
        ]
    if trial is not best:
        leads = "" if best is None else f", of which `{best.id}` was the best, {_of(best)}"
        return [f"One of the {count} of {sweep} {by}{leads}: trial {here}{other}."]
    if trial is baseline:
        return [
            f"The baseline configuration, which none of the {count} of {sweep} beat {by}: {here}."
        ]
    return [f"The best of {count} of {sweep} {by}: trial {here}{other}."]


def _repeated(state: SweepState, trial: TrialState) -> list[str]:
    """How a repeat came to be, and how it was chosen, or that it was not."""
    confirmation = state.confirmation
    if confirmation is None or confirmation.outcome is None:
        return [f"This is a repeat of `{trial.repeats}` with a fresh seed; nothing was confirmed."]
    outcome, seeds = confirmation.outcome, len(confirmation.seeds)
    rows = "" if trial.split is None else ", training and validation rows drawn anew for each seed"
    again = f"Finalists and baseline were trained again, with {seeds} fresh seeds each{rows}."
    if confirmation.delivered != trial.id:
        return [again, "This is one of those repeats, but not the one that the sweep delivers."]
    baseline = state.baseline
    if baseline is not None and trial.repeats == baseline.id != outcome["chosen"]:
        why = "No finalist was better on average: the baseline configuration is delivered."
    else:
        why = f"`{trial.repeats}` was chosen: {outcome['reason']}"
    best = f"This is the repeat of `{trial.repeats}` with the best validation score."
    refitted = f"This is `{trial.repeats}`, trained once more on training and validation rows."
    return [again, why, refitted if trial.refit else best]


def _of(trial: TrialState) -> str:
    return "no score" if trial.value is None else f"{trial.value:.4g}"
