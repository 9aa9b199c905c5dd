"""Ledger events → W&B runs, beside the sweep and never in its way; the sole import of wandb."""

from __future__ import annotations

from bertsweep.tracking.login import login_source, settled_mode
from bertsweep.tracking.tracker import WandbTracker

__all__ = ["WandbTracker", "login_source", "settled_mode"]
