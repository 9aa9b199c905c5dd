"""Which hyperparameters to try next, and which trials to stop early."""
