"""Rows that occur in two splits: a model must not be evaluated on texts it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from bertsweep.data.clean import CleanRows, counted, shortened
from bertsweep.data.dataset import Note

if TYPE_CHECKING:
    import numpy as np

    Positions = np.ndarray[Any, Any]

_PAIRS = (("validation", "train"), ("test", "train"), ("test", "validation"))


def settle_leaks(
    parts: Mapping[str, Positions], rows: CleanRows, leaks: Literal["drop", "keep"]
) -> tuple[dict[str, Positions], list[Note]]:
    """Returns the splits, without the rows whose text occurs in an earlier one, and notes.

    With `leaks` "keep" such rows stay and are only noted. Texts are equal if they differ in nothing
    but casing and white space. Train never changes; validation is compared with train, test with
    train and with the remaining rows of validation.
    """
    import numpy as np

    kept = dict(parts)
    notes = []
    for name, other in _PAIRS:
        occurs = np.zeros(int(rows.keys.max()) + 1, dtype=bool)
        occurs[rows.keys[kept[other]]] = True
        seen = occurs[rows.keys[kept[name]]]
        count = int(seen.sum())
        if not count:
            continue
        example = shortened(rows.frame["text"].iloc[int(kept[name][seen][0])])
        if leaks == "drop":
            kept[name] = kept[name][~seen]
            done = "left out (data.leaks: keep would keep them)."
        else:
            done = "kept, so its scores look too good (data.leaks: drop leaves them out)."
        notes.append(
            Note(
                f"leak_{other}_{name}",
                count,
                f"{counted(count, f'{name} row')} whose text also stands in {other}, such as "
                f"{example!r}: {done}",
            )
        )
    return kept, notes
