"""Everything that is to be seen of a subject, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep import data as reading
from bertsweep.data import Dataset
from bertsweep.data.dataset import SPLITS
from bertsweep.data.statistics import characters, length_statistics, words
from bertsweep.draft.effort import Sizes
from bertsweep.draft.lengths import row_lengths
from bertsweep.exploration.likeness import Comparison, compare, verdict
from bertsweep.exploration.missed import Missed, missed
from bertsweep.exploration.model_summary import model_summary
from bertsweep.exploration.near_texts import NearTexts, near_texts
from bertsweep.exploration.pieces import word_pieces
from bertsweep.exploration.subject import Subject, positions
from bertsweep.exploration.truncation import truncation
from bertsweep.progress import Progress

MOST_ROWS = 200_000
"""Rows of a split whose word pieces are counted; of more, a sample is."""

_SAMPLES = 3
_EXAMPLE_PIECES = 32
_SHOWN_CONFLICTS, _SHOWN_MISSED = 50, 50


@dataclass(frozen=True)
class Exploration:
    """What was found; the mappings are as docs/json.md describes them.

    `dataset` is what it was found in.
    """

    subject: Subject
    dataset: Dataset
    statistics: Mapping[str, Any]
    measured: bool
    tokens: Mapping[str, Any]
    comparisons: tuple[Comparison, ...]
    truncation: tuple[Mapping[str, Any], ...]
    near: NearTexts
    missed: Missed | None
    samples: tuple[Mapping[str, Any], ...]
    word_pieces: Mapping[str, Any] | None
    model: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        return self.subject.name

    @property
    def verdict(self) -> str:
        """Whether the splits look alike, in a sentence."""
        return verdict(list(self.comparisons))

    @property
    def leaks(self) -> list[dict[str, Any]]:
        """Rows of a split whose text also stands in another: {of, in, rows}, left out or not."""
        found = []
        for note in self.dataset.notes:
            kind, _, splits = note.kind.partition("_")
            if kind == "leak":
                other, split = splits.split("_")
                found.append({"of": split, "in": other, "rows": note.count})
        return found

    def to_plain(self) -> dict[str, Any]:
        """The document of `explore --json`."""
        return {
            "name": self.name,
            **{key: self.statistics[key] for key in ("hash", "labels", "positive", "notes")},
            "guessed": list(self.subject.notes),
            "splits": {
                name: {**split, "word_pieces": self.tokens[name]}
                for name, split in self.statistics["splits"].items()
            },
            "measured": self.measured,
            "alike": {
                "told": self.verdict,
                "tests": [one.to_plain() for one in self.comparisons],
            },
            "truncation": list(self.truncation),
            "repeated": {"compared": self.near.compared, "rows": self.near.repeated},
            "leaks": self.leaks,
            "conflicts": {
                "count": len(self.near.conflicts),
                "shown": [one.to_plain() for one in self.near.conflicts[:_SHOWN_CONFLICTS]],
            },
            "missed": None
            if self.missed is None
            else {
                "trials": list(self.missed.trials),
                "count": len(self.missed.rows),
                "shown": list(self.missed.rows[:_SHOWN_MISSED]),
            },
            "samples": list(self.samples),
            "word_pieces": self.word_pieces,
            "model": self.model,
        }


def explore(
    subject: Subject,
    *,
    cache: Path,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Exploration:
    """Reads the data of a subject and looks at them from all sides.

    Nothing is trained, and an encoder that is not on this machine is not downloaded: word pieces
    are then estimated. Raises what `data.prepare` and `prepare_encoder` raise.
    """
    encoder = subject.encoder_at_hand(cache, notify)
    dataset = reading.prepare(subject.data, cache=cache, base=subject.base, progress=progress)
    pieces = {
        name: row_lengths(frame, encoder, most=MOST_ROWS) for name, frame in dataset.splits.items()
    }
    counts = {
        "words": {name: words(frame) for name, frame in dataset.splits.items()},
        "characters": {name: characters(frame) for name, frame in dataset.splits.items()},
    }
    config = None if encoder is None else encoder.config
    address = "" if subject.encoder is None else subject.encoder.source
    most = positions(config)
    lengths = [length for length in subject.lengths if length <= most]
    cut = truncation(pieces, Sizes.of(encoder, address), asked=lengths, most=most)
    example = _example(dataset)
    shown = min(max(lengths, default=_EXAMPLE_PIECES), _EXAMPLE_PIECES, most)
    return Exploration(
        subject=subject,
        dataset=dataset,
        statistics=reading.statistics(dataset),
        measured=encoder is not None,
        tokens=length_statistics(pieces),
        comparisons=tuple(compare(dataset, counts)),
        truncation=tuple(cut),
        near=near_texts(dataset),
        missed=None if subject.sweep is None else missed(subject.sweep, dataset),
        samples=tuple(_samples(dataset)),
        word_pieces=None
        if encoder is None
        else word_pieces(encoder, example, max_seq_length=shown),
        model=None
        if config is None
        else model_summary(config, classes=len(dataset.labels), trainable=subject.trainable),
    )


def _samples(dataset: Dataset) -> list[dict[str, Any]]:
    """Some training rows of each class; none of the test split, which stays closed."""
    frame = dataset.splits[SPLITS[0]]
    found = []
    for code, label in enumerate(dataset.labels):
        of_class = frame[frame["label"] == code]
        drawn = of_class.sample(min(_SAMPLES, len(of_class)), random_state=0)
        names = [name for name in ("text", "text_b") if name in drawn]
        for texts in zip(*(drawn[name].tolist() for name in names), strict=True):
            row = dict(zip(names, texts, strict=True))
            found.append({"split": SPLITS[0], "label": label, **row})
    return found


def _example(dataset: Dataset) -> tuple[str, ...]:
    """The texts of the training row of middling length."""
    frame = dataset.splits[SPLITS[0]]
    lengths = words(frame)
    row = frame.iloc[int(lengths.argsort(kind="stable")[len(lengths) // 2])]
    return tuple(row[name] for name in ("text", "text_b") if name in frame)
