"""Training and evaluation of one trial at a time; knows nothing of Ray, W&B or Optuna."""
