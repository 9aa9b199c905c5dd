"""Every exception bertsweep raises on purpose, and the exit code each one ends the command with.

BertsweepError                   3
├── InputError                   2  the user's input is wrong
│   ├── SpecError                2  a search space file breaks its rules (all problems at once)
│   ├── DataError                2  the labelled text cannot be used as it is
│   ├── EncoderError             2  the pre-trained encoder cannot be used as it is
│   ├── SweepNotFoundError       2  no sweep of that name or path
│   └── MissingPackageError      2  an option needs a package that is not installed
├── NoUsableTrialError           1  the sweep ended and no trial can be used
├── ReproductionError            1  a trial that was trained again came out otherwise
├── EnvironmentFault             3  disk, network or cluster
│   ├── DownloadError            3  an address could not be fetched
│   ├── LedgerError              3  the journal of a sweep is damaged
│   └── ClusterError             3  Ray could not be started or reached
├── ExportError                  3  an export does not compute what its checkpoint computes
├── TrialError                   3  a trial cannot go on (recorded, never ends the sweep)
│   └── NonFiniteLossError       3  the training loss became NaN or infinite
└── InterruptedSweep           130  stopped by the user; can be resumed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class BertsweepError(Exception):
    """Base of all; `str()` of it is what the user reads, so it says what to do next."""

    exit_code = 3


class InputError(BertsweepError):
    """The user's input is wrong; nothing was started."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One broken rule of a search space file.

    `path` is the key path ("space", "learning_rate", "high"), `line` counts from 1 (None where the
    value came from `--set` or from nowhere), `rule` says what must hold and what was got, and
    `remedy` what to type instead.
    """

    path: tuple[str | int, ...]
    line: int | None
    rule: str
    remedy: str | None = None

    def __str__(self) -> str:
        where = " -> ".join(str(part) for part in self.path) or "(top level)"
        line = f", line {self.line}" if self.line is not None else ""
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"{where}{line}: {self.rule}{remedy}"


class SpecError(InputError):
    """A search space file breaks its rules; carries every `Problem` found, in file order."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{source}: {count} problem{'s' if count != 1 else ''}"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


class DataError(InputError):
    """The labelled text cannot be used as it is."""


class EncoderError(InputError):
    """The pre-trained encoder cannot be used as it is."""


class SweepNotFoundError(InputError):
    """No sweep of that name or path."""


class MissingPackageError(InputError):
    """An option needs a package that is not installed."""


class NoUsableTrialError(BertsweepError):
    """The sweep ended and no trial can be used."""

    exit_code = 1


class ReproductionError(BertsweepError):
    """A trial that was trained again did not come out as it was recorded."""

    exit_code = 1


class EnvironmentFault(BertsweepError):
    """Disk, network or cluster failed."""


class DownloadError(EnvironmentFault):
    """An address could not be fetched."""


class LedgerError(EnvironmentFault):
    """The journal of a sweep is damaged."""


class ClusterError(EnvironmentFault):
    """Ray could not be started or reached."""


class ExportError(BertsweepError):
    """An export does not compute what its checkpoint computes; nothing of it was kept."""


class TrialError(BertsweepError):
    """A trial cannot go on; recorded in the ledger, never ends the sweep."""


class NonFiniteLossError(TrialError):
    """The training loss became NaN or infinite."""


class InterruptedSweep(BertsweepError):
    """Stopped by the user; the sweep can be resumed."""

    exit_code = 130
