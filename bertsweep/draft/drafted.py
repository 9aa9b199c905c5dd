"""Writes a search space file for labelled text, and tells what it was decided by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep import atomic
from bertsweep.data.clean import counted
from bertsweep.draft import templates, writing
from bertsweep.draft.facts import Facts
from bertsweep.errors import InputError
from bertsweep.spec import parse

_LONG_SECONDS = 86_400.0
_MANY_CUT = 0.02
_FEW_ROWS = 20


@dataclass(frozen=True)
class Drafted:
    """A search space file that was written: its path, and what it was decided by."""

    path: Path
    facts: Facts

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed and recognised, and what is odd about the data."""
        said = (*self.facts.looked.notes, *self.facts.looked.seen.notes)
        return tuple(dict.fromkeys((*said, *(note.message for note in self.facts.dataset.notes))))

    @property
    def metric(self) -> str:
        return self.facts.classes.metric()[0]

    @property
    def estimate(self) -> str:
        """What the sweep takes on this machine, in words."""
        return writing.estimate(self.facts)

    @property
    def advice(self) -> tuple[str, ...]:
        """What the user may want to change before the sweep runs."""
        return tuple(_advice(self.facts))

    def to_plain(self) -> dict[str, Any]:
        """The document of `init --json`."""
        facts = self.facts
        return {
            "path": str(self.path.absolute()),
            "name": writing.name_for(facts.looked.source),
            "text": list(facts.data.text),
            "label": facts.data.label,
            "labels": {str(label): rows for label, rows in facts.classes.rows.items()},
            "positive": facts.classes.scored(),
            "rows": {name: len(frame) for name, frame in facts.dataset.splits.items()},
            "encoder": facts.encoder,
            "metric": self.metric,
            "lengths": {
                "measured": facts.lengths.measured,
                "max_seq_length": list(facts.lengths_tried),
                "cut": [facts.lengths.cut(length) for length in facts.lengths_tried],
            },
            "trials": facts.trials,
            "seconds": {
                "training": facts.cost.training,
                "low": facts.cost.low,
                "high": facts.cost.high,
            },
            "notes": list(self.notes),
            "advice": list(self.advice),
        }


def target(name: str, out: Path | None, *, force: bool) -> Path:
    """The file to write: `out`, else NAME.yaml in the working folder.

    Raises `InputError` where it exists, unless `force`, and where its folder does not.
    """
    path = out if out is not None else Path(f"{name}.yaml")
    if path.is_dir():
        raise InputError(
            f"--out names a file, but {path} is a folder. Type --out {path}/NAME.yaml."
        )
    if path.exists() and not force:
        raise InputError(f"{path} exists. Type --force to replace it, or --out OTHER.yaml.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"the folder {path.parent} of --out does not exist. Make it first.")
    return path


def save(facts: Facts, path: Path) -> Drafted:
    """Writes the file, once it was read again and found valid."""
    text = writing.write(facts, path)
    parse(text, source=str(path))
    atomic.write_file(path, text)
    return Drafted(path, facts)


def write_template(name: str, out: Path | None = None, *, force: bool = False) -> Path:
    """Writes the template of a name, to NAME.yaml in the working folder by default.

    Returns its path. Raises `InputError` where there is no such template, or the file exists.
    """
    templates.check(name)
    path = target(name, out, force=force)
    atomic.write_file(path, templates.text(name, str(path)))
    return path


def _advice(facts: Facts) -> Iterator[str]:
    if not facts.lengths.measured:
        yield (
            f"{facts.encoder} is downloaded when the sweep runs: until then lengths and time are "
            "estimates."
        )
    longest = facts.lengths_tried[-1]
    if (cut := facts.lengths.cut(longest)) > _MANY_CUT:
        yield (
            f"{cut:.0%} of the rows are longer than {longest} word pieces, all that the encoder "
            "reads: their ends are not seen."
        )
    validation = facts.dataset.splits["validation"]["label"].value_counts()
    if len(validation) and validation.min() < _FEW_ROWS:
        yield (
            f"the smallest class has {counted(validation.min(), 'row')} to validate on: scores of "
            "it are coarse. More rows of it help most."
        )
    if facts.cost.low > _LONG_SECONDS:
        small = "a smaller encoder (--encoder hf://sentence-transformers/all-MiniLM-L6-v2), "
        small = "" if facts.sizes.hidden <= 384 or facts.machine.gpus else small
        yield f"that is long: {small}fewer rows (data.limit) or fewer trials shorten it."
