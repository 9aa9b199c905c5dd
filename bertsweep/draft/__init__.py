"""From labelled text to a first search space file: what `bertsweep init` writes."""

from bertsweep.draft.drafted import Drafted, save, target, write_template
from bertsweep.draft.drafting import examine, look
from bertsweep.draft.facts import Facts, Looked
from bertsweep.draft.known_encoders import known_encoders
from bertsweep.draft.templates import summaries
from bertsweep.draft.writing import name_for

__all__ = [
    "Drafted",
    "Facts",
    "Looked",
    "examine",
    "known_encoders",
    "look",
    "name_for",
    "save",
    "summaries",
    "target",
    "write_template",
]
