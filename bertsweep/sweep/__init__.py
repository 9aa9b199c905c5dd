"""Runs a sweep, and goes on with one that was interrupted."""

from bertsweep.sweep.run import resume, run

__all__ = ["resume", "run"]
