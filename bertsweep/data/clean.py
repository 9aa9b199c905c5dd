"""Raw rows → usable rows: nothing empty, labels as class indices, keys to compare texts by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertsweep.data.dataset import Label, Note
from bertsweep.data.labels import Classes, choose_positive, find_classes, typed
from bertsweep.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_SHORT = 60


@dataclass(frozen=True)
class CleanRows:
    """Usable rows.

    `frame` has the columns `text`, `text_b` (pairs only) and `label` (int32 class index; of two
    classes index 1 is the positive one). `keys` (int64 from 0, one a row) are equal where texts are
    equal but for casing and white space.
    """

    frame: pd.DataFrame
    keys: np.ndarray[Any, Any]
    labels: tuple[Label, ...]
    notes: tuple[Note, ...]

    @property
    def codes(self) -> np.ndarray[Any, Any]:
        """The class index of each row, int32."""
        return self.frame["label"].to_numpy()


def clean(
    raw: pd.DataFrame, *, label: str, positive: Label | None = None
) -> tuple[CleanRows, np.ndarray[Any, Any]]:
    """The usable rows of `raw` and their positions in it.

    `raw` has text columns `text`, `text_b` (pairs only) and `label`; `label` is the name that the
    file has for the last, `positive` the label that `data.positive` states. Rows whose text or
    label is empty or white space are left out, with notes. Raises `DataError` when no row is left,
    all are of one class, or `positive` is not one of two labels.
    """
    import numpy as np
    import pandas as pd

    keys = _keys([raw[column] for column in raw.columns if column != "label"])
    written = raw["label"].tolist()
    codes, texts = pd.factorize(np.array([each.strip() for each in written], dtype=object))
    empty_text = keys < 0
    empty_label = (texts == "")[codes] if len(texts) else np.zeros(0, dtype=bool)
    kept = np.flatnonzero(~empty_text & ~empty_label)
    if not len(kept):
        raise DataError(f"no row has both a text and a label ({len(raw):,} rows read).{_NO_ROWS}")
    codes, texts = pd.factorize(texts[codes[kept]])
    names = [str(text) for text in texts]
    classes = find_classes(names)
    _check_classes(classes, len(kept), label)
    counts = np.bincount(codes, minlength=len(names)).tolist()
    classes = choose_positive(classes, names, counts, positive, label)
    frame = raw.iloc[kept].reset_index(drop=True)
    frame["label"] = np.asarray(classes.index, dtype=np.int32)[codes]
    rows = CleanRows(frame, keys[kept], classes.labels, ())
    notes = _notes(rows, classes, int(empty_text.sum()), int((empty_label & ~empty_text).sum()))
    return CleanRows(frame, rows.keys, rows.labels, tuple(notes)), kept


_NO_ROWS = " Check data.text and data.label."


def shortened(text: str) -> str:
    """The beginning of a text, on one line, for messages."""
    line = " ".join(text[: 4 * _SHORT].split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"


def counted(count: int, noun: str) -> str:
    """A number of things in words: 1 row, 1,200 rows."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _keys(columns: Iterable[pd.Series[str]]) -> np.ndarray[Any, Any]:
    """A number for each row, equal for texts that read the same; -1 where a text is empty."""
    import numpy as np
    import pandas as pd

    keys: np.ndarray[Any, Any] | None = None
    for column in columns:
        same = np.array(
            [" ".join(text.casefold().split()) for text in column.tolist()], dtype=object
        )
        codes, different = pd.factorize(same)
        codes = codes.astype(np.int64)
        codes[(different == "")[codes]] = -1
        if keys is None:
            keys = codes
        else:
            both = np.where((keys < 0) | (codes < 0), -1, keys * len(different) + codes)
            keys, numbers = pd.factorize(both)
            keys[(numbers == -1)[keys]] = -1
    if keys is None:
        raise ValueError("rows need at least one text column")
    return keys


def _check_classes(classes: Classes, rows: int, label: str) -> None:
    if len(classes.labels) == 1:
        raise DataError(
            f"a classifier needs two classes or more, but the label column {label!r} says "
            f"{classes.labels[0]!r} in all {rows:,} rows. Check data.label, or give a file that "
            "holds other classes too."
        )


def _notes(rows: CleanRows, classes: Classes, no_text: int, no_label: int) -> Iterable[Note]:
    for kind, count in (("text", no_text), ("label", no_label)):
        if count:
            said = f"{counted(count, 'row')} with an empty {kind} left out."
            yield Note(f"empty_{kind}", count, said)
    if classes.odd:
        named = ", ".join(repr(text) for text in classes.odd[:5])
        yield Note(
            "odd_labels",
            len(classes.odd),
            f"Most labels are numbers but {named} are not: all were taken as text. If they stand "
            "for a missing label, remove these rows.",
        )
    yield from _positive_notes(rows, classes)
    conflict = _conflicts(rows)
    if conflict is not None:
        yield conflict


_BECAUSE = {
    "stated": "as chosen (data.positive)",
    "name": "as its name says; data.positive: {other} would choose the other",
    "rarer": "the rarer class; data.positive: {other} would choose the other",
    "last": "the last in order of two equally frequent classes; data.positive: {other} would "
    "choose the other",
}


def _positive_notes(rows: CleanRows, classes: Classes) -> Iterable[Note]:
    """Which of two classes is positive and why; a warning where most rows are positive."""
    if classes.reason is None:
        return
    count, total = int(rows.codes.sum()), len(rows.codes)
    positive, share = repr(classes.labels[1]), f"{100 * count / total:.1f} %"
    other = typed(classes.labels[0])
    why = _BECAUSE[classes.reason].format(other=other)
    said = f"positive is {positive} ({count:,} of {total:,} rows, {share}), {why}."
    yield Note("positive_class", count, said)
    if 2 * count > total:
        yield Note(
            "positive_majority",
            count,
            f"warning: the positive class {positive} is the majority ({share} of the rows): "
            f"guessing reaches an average precision of {count / total:.2f} and an F1 of "
            f"{2 * count / (count + total):.2f}. data.positive: {other} scores the rarer class.",
        )


def _conflicts(rows: CleanRows) -> Note | None:
    """Texts that read the same and have different labels; they stay in."""
    import numpy as np

    # One code a key is remembered; a row with another code betrays that there are several.
    some_code = np.zeros(int(rows.keys.max()) + 1, dtype=np.int32)
    some_code[rows.keys] = rows.codes
    several = np.unique(rows.keys[some_code[rows.keys] != rows.codes])
    if not len(several):
        return None
    concerned = np.flatnonzero(np.isin(rows.keys, several))
    first = rows.keys == rows.keys[concerned[0]]
    names = [repr(rows.labels[code]) for code in np.unique(rows.codes[first])]
    example = shortened(rows.frame["text"].iloc[int(concerned[0])])
    return Note(
        "conflicting_labels",
        len(several),
        f"{counted(len(several), 'text')} with different labels ({len(concerned):,} rows), such as "
        f"{example!r} with {' and '.join(names)}: kept. Correct them if you can.",
    )
