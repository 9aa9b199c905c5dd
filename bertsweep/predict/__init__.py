"""Labels and probabilities of texts from a checkpoint: a few texts, or files of any size."""

from __future__ import annotations

from bertsweep.predict.added import label_word
from bertsweep.predict.files import Done, predict_rows
from bertsweep.predict.outputs import Output, check_target, open_output
from bertsweep.predict.predictor import Answers, Prediction, Predictor

__all__ = [
    "Answers",
    "Done",
    "Output",
    "Prediction",
    "Predictor",
    "check_target",
    "label_word",
    "open_output",
    "predict_rows",
]
