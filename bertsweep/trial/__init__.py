"""One trial: parameters in, reports and checkpoints out, on an actor that stays warm."""
