"""The result of one check of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """`topic` was found to be `value`; unless the status is ok, `remedy` says what to do."""

    topic: str
    status: Status
    value: str
    remedy: str | None = None

    def __post_init__(self) -> None:
        if self.status != "ok" and not self.remedy:
            raise ValueError(f"a finding that is not ok needs a remedy, but got {self}")
