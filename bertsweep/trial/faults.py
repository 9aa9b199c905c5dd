"""What went wrong in a worker, told apart by what a second attempt can mend."""

from __future__ import annotations

import re
import traceback
from dataclasses import asdict, dataclass
from typing import Any

from bertsweep.errors import EnvironmentFault, InputError, TrialError
from bertsweep.ledger.events import FaultKind

TRIAL: FaultKind = "trial"
ENVIRONMENT: FaultKind = "environment"
UNEXPECTED: FaultKind = "unexpected"

_LONGEST_DETAILS = 20_000


@dataclass(frozen=True)
class Fault:
    """Why a trial cannot go on: one line of `reason`, and `details`, a traceback or None.

    `kind` says what a second attempt can mend:

    - "trial": nothing, as the trial would meet it again (its loss diverges, its batches do not fit
      into memory). The worker is in order.
    - "environment": perhaps, once the disk has room or the damaged file is replaced.
    - "unexpected": perhaps, in another process. This one may be in a state that nobody foresaw.
    """

    kind: FaultKind
    reason: str
    details: str | None = None

    @classmethod
    def of(cls, error: Exception) -> Fault:
        """The fault that an exception is; `details` are None where the reason says it all."""
        if isinstance(error, TrialError):
            return cls(TRIAL, _line(error))
        if isinstance(error, (EnvironmentFault, InputError)):  # input was checked before any trial
            return cls(ENVIRONMENT, _line(error))
        details = "".join(traceback.format_exception(error))[-_LONGEST_DETAILS:]
        if type(error).__name__ == "ResourceExhaustedError" or isinstance(error, MemoryError):
            advice = "A smaller batch_size or max_seq_length needs less."
            return cls(TRIAL, f"out of memory: {_line(error) or 'no more'}. {advice}", details)
        named = f"{type(error).__name__}: {_line(error)}"
        if isinstance(error, OSError):
            return cls(ENVIRONMENT, named, details)
        return cls(UNEXPECTED, named, details)

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)


class WorkerFault(Exception):
    """A fault after which a trial needs another worker; Ray Tune starts the trial again.

    The text of it is one line that `read_fault` reads, as Ray hands on nothing but text.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault

    def __str__(self) -> str:
        return f"{self.fault.kind} fault: {self.fault.reason}"


_TOLD = re.compile(r"WorkerFault: (trial|environment|unexpected) fault: (.*)$")


def read_fault(text: str) -> Fault | None:
    """The last `WorkerFault` in the text of an error as Ray tells it, None where there is none."""
    for line in reversed(text.splitlines()):
        if found := _TOLD.search(line):
            kind: Any = found[1]
            return Fault(kind, found[2])
    return None


def _line(error: Exception) -> str:
    """The text of an error on one line; of TensorFlow's long ones the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (
        " ".join(lines) if isinstance(error, (InputError, EnvironmentFault)) else "".join(lines[:1])
    )
