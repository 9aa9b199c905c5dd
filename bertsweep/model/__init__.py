"""Encoder, dropout, head and optimizer: what one trial trains."""
