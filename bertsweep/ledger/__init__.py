"""The append-only event journal of a sweep, and the state that its events fold into."""

from bertsweep.ledger.journal import Ledger, Subscriber, load, read
from bertsweep.ledger.lines import Event, encode
from bertsweep.ledger.reports import Report, Reports
from bertsweep.ledger.state import (
    BASELINE,
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    SAMPLER,
    STOPPED,
    WARM_START,
    SweepState,
    TrialState,
    fold,
)

__all__ = [
    "BASELINE",
    "FAILED",
    "FINISHED",
    "INTERRUPTED",
    "RUNNING",
    "SAMPLER",
    "STOPPED",
    "WARM_START",
    "Event",
    "Ledger",
    "Report",
    "Reports",
    "Subscriber",
    "SweepState",
    "TrialState",
    "encode",
    "fold",
    "load",
    "read",
]
