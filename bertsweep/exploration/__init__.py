"""Looks at labelled text from all sides, before a sweep and after it: `bertsweep explore`."""

from bertsweep.exploration.document import Exploration, explore
from bertsweep.exploration.pages import charts, page
from bertsweep.exploration.subject import Subject, find_subject

__all__ = ["Exploration", "Subject", "charts", "explore", "find_subject", "page"]
