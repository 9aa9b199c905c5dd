"""Batches, train and evaluate steps; knows nothing of Ray, W&B or Optuna."""
