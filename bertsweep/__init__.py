"""Hyperparameter sweeps for BERT text classifiers that an engineer can trust."""

__version__ = "0.1.0"
