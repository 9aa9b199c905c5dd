"""The append-only event journal of a sweep, and the state that its events fold into."""

from bertsweep.ledger.events import (
    BASELINE,
    FAILED,
    FINISHED,
    INTERRUPTED,
    REFIT,
    REPEAT,
    RUNNING,
    SAMPLER,
    STOPPED,
    WARM_START,
    Event,
    Refit,
)
from bertsweep.ledger.fold import fold
from bertsweep.ledger.follow import Follower, silence
from bertsweep.ledger.journal import Ledger, Subscriber, load, read, recall, replay
from bertsweep.ledger.lock import is_locked
from bertsweep.ledger.reports import Report, Reports
from bertsweep.ledger.spending import spent_by
from bertsweep.ledger.state import (
    Confirmation,
    Reading,
    SweepSnapshot,
    SweepState,
    TrialSnapshot,
    TrialState,
    Update,
)

__all__ = [
    "BASELINE",
    "FAILED",
    "FINISHED",
    "INTERRUPTED",
    "REFIT",
    "REPEAT",
    "RUNNING",
    "SAMPLER",
    "STOPPED",
    "WARM_START",
    "Confirmation",
    "Event",
    "Follower",
    "Ledger",
    "Reading",
    "Refit",
    "Report",
    "Reports",
    "Subscriber",
    "SweepSnapshot",
    "SweepState",
    "TrialSnapshot",
    "TrialState",
    "Update",
    "fold",
    "is_locked",
    "load",
    "read",
    "recall",
    "replay",
    "silence",
    "spent_by",
]
