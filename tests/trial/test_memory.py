"""A worker that has run many trials is no larger than one that has run few."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sweeps import bertsweep, reported

MANY = """
name: many
data: {source: "builtin:questions", limit: 300, split: {validation: 100, test: 50}}
encoder: {source: "builtin:tiny"}
space:
  learning_rate: {low: 1e-4, high: 3e-3, log: true}
  dropout: {low: 0.0, high: 0.6}
  batch_size: [8, 16, 32]
  max_seq_length: [16, 32]
  epochs: 1
baseline: {batch_size: 8, max_seq_length: 32}
search: {sampler: {kind: random}, scheduler: none}
resources: {concurrent: 1}
budget: {trials: 50}
tracking: {wandb: disabled}
"""


@pytest.mark.slow
def test_memory_after_fifty_trials_is_that_after_five(tmp_path: Path) -> None:
    file = tmp_path / "many.yaml"
    file.write_text(MANY, encoding="utf-8")
    done = bertsweep("run", str(file), "--storage", str(tmp_path))
    assert done.returncode == 0, done.stderr
    memory = {e.trial: e.system["memory_mb"] for e in reported(tmp_path / "many")}
    assert len(memory) == 50
    assert memory["t0049"] <= 1.05 * memory["t0004"], memory
