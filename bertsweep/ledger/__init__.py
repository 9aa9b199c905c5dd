"""The append-only event journal of a sweep, and the state that its events fold into."""

from bertsweep.ledger.journal import Ledger, Subscriber, load, read
from bertsweep.ledger.lines import Event, encode
from bertsweep.ledger.reports import Report, Reports
from bertsweep.ledger.state import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    SweepState,
    TrialState,
    fold,
)

__all__ = [
    "FAILED",
    "FINISHED",
    "INTERRUPTED",
    "RUNNING",
    "STOPPED",
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
