"""The model card of a refit does not claim scores that nothing measured."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bertsweep.checkpoints import Checkpoint
from bertsweep.export.card import Findings
from bertsweep.export.subject import Subject
from tests.support.checkpoints import write_checkpoint


def card(folder: Path, trained_on: Literal["train", "train+validation"]) -> str:
    checkpoint = Checkpoint.open(write_checkpoint(folder, trained_on=trained_on))
    findings = Findings(Subject.of(checkpoint), {}, 10, "validation rows", 1.0, None, {})
    assert findings.document()["trained_on"] == trained_on
    return " ".join(findings.card([]).split())


def test_it_says_what_the_scores_of_a_refit_are(tmp_path: Path) -> None:
    ordinary, refit = card(tmp_path / "a", "train"), card(tmp_path / "b", "train+validation")
    means = "the means over runs of the same configuration with other seeds"
    assert means in refit
    assert means not in ordinary
    assert "On the validation rows that chose it" in ordinary
    assert "On the validation rows that chose it" not in refit
    assert "trained on the validation rows is no matter here" in refit
    assert "is no matter here" not in ordinary
