"""What a refit, which has no rows left to be scored by, takes from the repeats before it."""

from __future__ import annotations

from pathlib import Path

from bertsweep.checkpoints import Predictions, read_predictions
from bertsweep.errors import EnvironmentFault
from bertsweep.ledger import Refit


def held_out(refit: Refit, sweep: Path) -> Predictions:
    """What the repeats predicted for rows that they had not seen, one repeat after the other.

    `sweep` is the folder that the paths of the repeats' checkpoints are relative to. Raises
    `EnvironmentFault` where one cannot be read.
    """
    parts = []
    for source in refit.sources:
        folder = sweep / source
        part = read_predictions(folder.parent, folder.name)
        if part is None:
            raise EnvironmentFault(
                f"{folder} must hold what its repeat predicted, which the threshold of a refit "
                "follows from, but it cannot be read. `bertsweep resume` goes on without it."
            )
        parts.append(part)
    return Predictions.joined(parts)
