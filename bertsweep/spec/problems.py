"""Where the problems of a file come together, so that they are told all at once, in its order."""

from __future__ import annotations

from collections.abc import Sequence

from bertsweep.errors import Problem, SpecError
from bertsweep.spec.document import Document, KeyPath


class Problems:
    """The problems and warnings of one document so far.

    A check says which key paths it `needs`; where one of them is broken already it has nothing
    reliable to say, and is not heard.
    """

    def __init__(self, document: Document) -> None:
        self.warnings: list[str] = []
        self._document = document
        self._problems: list[Problem] = []
        self._broken: list[KeyPath] = []

    def take(self, problems: Sequence[Problem]) -> None:
        """Problems that know their line already."""
        self._problems += problems
        self._broken += [problem.path for problem in problems if problem.path]

    def add(self, path: KeyPath, rule: str, remedy: str, *, needs: Sequence[KeyPath] = ()) -> None:
        """A broken rule of the value at `path`; heard once a path."""
        if not self.broken(*needs) and path not in self._broken:
            self.take([Problem(path, self._document.line(path), rule, remedy)])

    def warn(self, path: KeyPath, text: str, *, needs: Sequence[KeyPath] = ()) -> None:
        """Something that works, but hardly as meant."""
        if not self.broken(path, *needs):
            line = self._document.line(path)
            self.warnings.append(
                " -> ".join(str(part) for part in path)
                + (f", line {line}: " if line is not None else ": ")
                + text
            )

    def given(self, *path: str) -> bool:
        """Whether the document itself sets the key, rather than leaving it at its default."""
        here = self._document.plain
        for part in path:
            if not isinstance(here, dict) or part not in here:
                return False
            here = here[part]
        return True

    def broken(self, *paths: KeyPath) -> bool:
        """Whether any of the key paths, a section above or a key below has a problem."""
        return any(
            path[: len(bad)] == bad or bad[: len(path)] == path
            for path in paths
            for bad in self._broken
        )

    def __bool__(self) -> bool:
        return bool(self._problems)

    def raise_any(self, source: str) -> None:
        """Raises `SpecError` with every problem in the order of the file, if there is one."""
        if self._problems:
            last = max((p.line or 0 for p in self._problems), default=0) + 1
            ordered = sorted(self._problems, key=lambda p: p.line if p.line is not None else last)
            raise SpecError(source, ordered)
