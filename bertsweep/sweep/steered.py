"""The requests to a running sweep, taken and put on record."""

from __future__ import annotations

import time
from collections.abc import Callable

from bertsweep import steering
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import SweepSteered
from bertsweep.paths import SweepPaths
from bertsweep.steering import Asked

EVERY_SECONDS = 1.0


class Steered:
    """Looks for requests once a second; `obey` does one, or returns why it does not."""

    def __init__(
        self, ledger: Ledger, paths: SweepPaths, obey: Callable[[Asked], str | None]
    ) -> None:
        self._ledger, self._paths, self._obey = ledger, paths, obey
        self._looked = 0.0

    def look(self) -> None:
        """Takes what was asked since the last look."""
        now = time.monotonic()
        if now - self._looked < EVERY_SECONDS:
            return
        self._looked = now
        for request in steering.pending(self._paths):
            # Its command may have died after the line and before the file was removed.
            if request.id not in self._ledger.state.steered:
                refused = self._obey(request)
                self._ledger.append(SweepSteered(asked=request.to_plain(), refused=refused))
            steering.forget(self._paths, request)
