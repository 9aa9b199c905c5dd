"""A greedy soup: the mean of those of a trial's weights that make each other better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray[Any, Any]]

_PREFIX, _MEMBERS = "soup/", "soup_members"


class Soup:
    """The best weights of a trial so far: those of one report, or the mean of several.

    A report's weights join where the mean with them scores better on the validation rows than all
    before; where they do so alone, and better than in the mean, the soup begins anew with them.
    Source: Wortsman et al. 2022, "Model soups", recipe 1, taken as the reports come in place of by
    their rank, so that a trial that is stopped early has its soup too.
    """

    def __init__(self) -> None:
        self.members = 0
        self._weights: Arrays = {}

    def with_more(self, weights: Mapping[str, Any]) -> Arrays | None:
        """The mean of the soup's members and other weights; None where it has none yet."""
        if not self.members:
            return None
        share = np.float32(1.0 / (self.members + 1))
        return {
            name: mean + share * (weights[name].numpy() - mean)
            for name, mean in self._weights.items()
        }

    def take(self, weights: Mapping[str, np.ndarray[Any, Any]], *, joined: bool) -> None:
        """Takes new best weights: what `with_more` returned, if `joined`, or those of a report."""
        self.members = self.members + 1 if joined else 1
        self._weights = {name: np.array(value) for name, value in weights.items()}

    def state(self) -> Arrays:
        """Members and weights as named arrays."""
        held = {f"{_PREFIX}{name}": value for name, value in self._weights.items()}
        return {**held, _MEMBERS: np.array([self.members], np.int64)}

    def restore(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Restores what `state` returned."""
        self.members = int(arrays[_MEMBERS][0])
        self._weights = {
            name.removeprefix(_PREFIX): value
            for name, value in arrays.items()
            if name.startswith(_PREFIX)
        }
