"""The choice of a winner among trials, and what of it is luck: numbers in, numbers out.

`select` works on the predictions of a sweep's trials, without training anything; `losers` and
`confirm` on the scores of finalists that were trained again with fresh seeds. docs/selection.md
says what each number covers and what it does not.
"""

from bertsweep.selection.bootstrap import Compared, Selection, select
from bertsweep.selection.confirmation import Confirmation, Confirmed, Verdict, confirm
from bertsweep.selection.racing import losers

__all__ = [
    "Compared",
    "Confirmation",
    "Confirmed",
    "Selection",
    "Verdict",
    "confirm",
    "losers",
    "select",
]
