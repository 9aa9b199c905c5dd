"""Runs a sweep, and goes on with one that was interrupted: `run.run` and `run.resume`."""
