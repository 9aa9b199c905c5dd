"""How good a classifier is on labelled rows, how sure that is, and where it errs.

Numbers alone, from labels and probabilities: no model is run here. docs/evaluation.md says what
each of them means.
"""

from bertsweep.evaluation.aims import Aim
from bertsweep.evaluation.assessment import Assessment, assess
from bertsweep.evaluation.calibration import Calibration, temperature_for
from bertsweep.evaluation.comparison import Comparison
from bertsweep.evaluation.resampling import Interval
from bertsweep.evaluation.rows import Answers, Rows

__all__ = [
    "Aim",
    "Answers",
    "Assessment",
    "Calibration",
    "Comparison",
    "Interval",
    "Rows",
    "assess",
    "temperature_for",
]
