"""A sweep's winner on rows that it was not chosen by: the test split, once, or a file of one's own.

Everything that labels follow from, threshold and temperature, is fixed on the validation rows
before.
"""

from bertsweep.scoring.held_out import evaluate_test
from bertsweep.scoring.measuring import track_reading
from bertsweep.scoring.outcome import Evaluation
from bertsweep.scoring.own_file import evaluate_file

__all__ = ["Evaluation", "evaluate_file", "evaluate_test", "track_reading"]
