"""A rough estimate of what a sweep takes here, from the sizes of encoder and data.

Nothing is trained. Per word piece a training step costs 6 floating-point operations for each
parameter of the layers (2 forward, 4 backward) and 12 × hidden size × sequence length a layer for
the attention (Kaplan et al. 2020, appendix B). What this machine does of them a second is the rate
of its matrix products times the share that training reaches.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertsweep import system

if TYPE_CHECKING:
    from bertsweep.encoders import PreparedEncoder

_BASE = (12, 768)
_BY_NAME = (
    (r"L-(\d+)[_-]H-(\d+)", None),
    (r"tiny", (2, 128)),
    (r"mini(?!lm)", (4, 256)),
    (r"(?:MiniLM|small).*L-?12", (12, 384)),
    (r"MiniLM|small", (6, 384)),
    (r"distil", (6, 768)),
    (r"large", (24, 1024)),
)
_WITHOUT_GPU, _WITH_GPU = 0.8, 0.25
"""Share of the rate of products that training reaches: docs/benchmarks.md; on GPUs a guess, as
share of their float32 peak. For CPUs, products of one core times the cores."""
_STEP_SECONDS = 0.005
_TRIAL_SECONDS = 2.0
_PRODUCT = 256
_PROBE_SECONDS = 0.3


@dataclass(frozen=True)
class Sizes:
    """Layers and hidden size of an encoder; `known` is False where its name alone was there."""

    layers: int
    hidden: int
    known: bool

    @classmethod
    def of(cls, encoder: PreparedEncoder | None, address: str) -> Sizes:
        if encoder is not None:
            return cls(encoder.config.num_layers, encoder.config.hidden_size, known=True)
        for pattern, sizes in _BY_NAME:
            if found := re.search(pattern, address, re.IGNORECASE):
                layers, hidden = sizes or (int(found[1]), int(found[2]))
                return cls(layers, hidden, known=False)
        return cls(*_BASE, known=False)

    @property
    def parameters(self) -> int:
        """Those of the layers: attention 4 × hidden², feed-forward 8 × hidden²."""
        return 12 * self.layers * self.hidden**2


@dataclass(frozen=True)
class Machine:
    """CPU cores and GPUs that this process sees."""

    cpus: int
    gpus: int

    @classmethod
    def here(cls) -> Machine:
        return cls(system.usable_cpus(), len(system.gpu_memory_mb()))

    def told(self) -> str:
        cores = f"{self.cpus} CPU core{'s' if self.cpus != 1 else ''}"
        return f"{cores}, {self.gpus or 'no'} GPU{'s' if self.gpus != 1 else ''}"


@dataclass(frozen=True)
class Effort:
    """Seconds of the whole machine: of one training of all epochs, and of the sweep from-to.

    `low` is with two in three trials stopped early, `high` with none; both with the confirmation.
    """

    training: float
    low: float
    high: float


def one_training(
    sizes: Sizes,
    *,
    rows: int,
    validation: int,
    tokens: float,
    epochs: int,
    batch: int,
    every: float,
) -> tuple[float, int]:
    """Floating-point operations of a training of all `epochs`, and its optimizer steps.

    `tokens` is the mean length of a row, `every` the share of an epoch between two evaluations.
    """
    evaluated = validation * epochs / every
    operations = row_operations(sizes, tokens) * (3 * rows * epochs + evaluated)
    return operations, epochs * -(-rows // batch)


def row_operations(sizes: Sizes, tokens: Any) -> Any:
    """Floating-point operations of a row of so many word pieces, forward alone; arrays too."""
    return tokens * (2 * sizes.parameters + 4 * sizes.layers * sizes.hidden * tokens)


def effort(operations: float, steps: int, *, trials: int, repeats: int, machine: Machine) -> Effort:
    """What `trials` trainings and at most `repeats` of the confirmation take on `machine`."""
    at_once = max(1, machine.gpus)
    rate = at_once * _rate(machine)
    one = operations / rate + (steps * _STEP_SECONDS + _TRIAL_SECONDS) / at_once
    # The baseline is never stopped; of the others ASHA's first rung lets one in three go on.
    low = one * (1 + (trials - 1) / 3 + repeats / 2)
    return Effort(one * at_once, low, one * (trials + repeats))


def _rate(machine: Machine) -> float:
    """Floating-point operations a second: of one GPU, or of all CPU cores together."""
    peaks = system.gpu_peak_flops() if machine.gpus else []
    if peaks and min(peaks) > 0:
        return _WITH_GPU * min(peaks)
    return _WITHOUT_GPU * machine.cpus * _products()


def _products() -> float:
    """The best rate of float32 matrix products on one core, within a third of a second.

    On one core, since several would wait for one another where other programs have some of them,
    and small ones, of which some pass without an interruption.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    matrix = np.ones((_PRODUCT, _PRODUCT), np.float32)
    best, end = float("inf"), time.perf_counter() + _PROBE_SECONDS
    with threadpool_limits(1):
        while (began := time.perf_counter()) < end or best == float("inf"):
            _ = matrix @ matrix
            best = min(best, time.perf_counter() - began)
    return float(2 * _PRODUCT**3 / best)
