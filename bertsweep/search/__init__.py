"""Optuna proposes, a stopping rule stops, Ray runs: the bridge between the three."""
