"""Words and a table for how sure a winner is: the choice among trials, its confirmation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bertsweep.cli._output import score, table

if TYPE_CHECKING:
    from rich.table import Table

Document = Mapping[str, Any]

_NAMED = 5


def choice(document: Document | None) -> Iterator[str]:
    """How sure the choice among the trials of the search is, by the validation rows alone."""
    if document is None or len(document["trials"]) < 2:
        return
    first, *others = document["trials"]
    yield (
        f"the choice: {first['name']} scored {score(first['score'])} on {document['rows']:,} "
        f"validation rows, best of {len(document['trials'])}; corrected for having been chosen, "
        f"{score(document['corrected_score'])}"
    )
    tied = [other for other in others if not other["distinguishable"]]
    if not tied:
        yield f"{first['name']} can be told from every other trial by these rows"
        return
    named = ", ".join(f"{t['name']} ({t['probability_best']:.0%})" for t in tied[:_NAMED])
    more = f" and {len(tied) - _NAMED} more" if len(tied) > _NAMED else ""
    yield (
        f"not to be told from {first['name']} ({first['probability_best']:.0%} likely the best of "
        f"these rows): {named}{more}"
    )


def confirmed_table(document: Document) -> Table:
    """The finalists and the baseline with their means over fresh seeds."""
    rows = [_row(one, document) for one in document["finalists"]]
    if document["baseline"] is not None:
        rows.append(_row(document["baseline"], document))
    heads = ("confirmed", "mean", "95 % interval", "seeds", "")
    return table(heads, rows, right=("mean", "seeds"))


def verdict(document: Document) -> Iterator[str]:
    """What the confirmation came to, a sentence a line."""
    yield document["verdict"]["text"]
    yield document["reason"]
    if document["tie"] and document["seeds_needed"]:
        yield f"about {document['seeds_needed']:,} seeds each would settle the tie"
    needed = document["verdict"]["seeds_needed"]
    if needed:
        yield f"about {needed:,} seeds each would tell it from the baseline"
    if document["noise_floor"] is not None:
        yield (
            f"noise floor: the best of {document['trials']} equal configurations gains "
            f"{document['noise_floor']:.4f} by luck of the seed alone (standard deviation "
            f"{document['deviation']:.4f})"
        )
    if document["delivered"] != document["chosen"]:
        yield f"delivered is {document['delivered']}, the baseline: no finalist has a better mean"
    yield from _refitted(document)


def _refitted(document: Document) -> Iterator[str]:
    """What was trained on all rows but the test split, and what is known of it."""
    refit = document.get("refit")
    if refit is None:
        return
    if document["repeat"] != refit["trial"]:
        yield f"the refit {refit['trial']} failed, so {document['repeat']} is delivered instead"
        return
    yield (
        f"delivered is {refit['trial']}: {document['delivered']} trained once more, on training "
        f"and validation rows, for {refit['epoch']:g} epochs. No row is left to score it by: its "
        "scores are the means over the repeats, and its threshold is set on what those predicted"
    )


def _row(one: Document, document: Document) -> tuple[str, ...]:
    known = one["low"] is not None
    interval = f"{score(one['low'])} to {score(one['high'])}" if known else "-"
    notes = ["stopped early"] if one["stopped"] else []
    if document["baseline"] is not None and one["trial"] == document["baseline"]["trial"]:
        notes.insert(0, "baseline")
    if one["trial"] == document["delivered"]:
        notes.insert(0, "delivered")
    return (one["trial"], score(one["mean"]), interval, str(one["seeds"]), ", ".join(notes))
