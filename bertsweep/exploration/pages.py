"""An exploration as a page and as charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bertsweep.data.clean import counted
from bertsweep.exploration.document import Exploration
from bertsweep.page import Chart, Page, Section, Sentences, Series, Table, Tiles

KINDS = ("words", "characters", "word_pieces")
"""What lengths are counted in."""

SHOWN = 20
"""Likely label errors that are shown."""


def charts(found: Exploration) -> list[Chart]:
    """The labels, the lengths of every kind with logarithmic counts, and what is cut."""
    splits = found.to_plain()["splits"]
    made = [
        Chart(
            "labels",
            "Labels of every split",
            "label",
            "share of the rows",
            [
                Series(
                    name,
                    [str(one["label"]) for one in split["classes"]],
                    [one["share"] for one in split["classes"]],
                )
                for name, split in splits.items()
            ],
        )
    ]
    made += [_lengths(found, kind) for kind in KINDS]
    made.append(
        Chart(
            "truncation",
            "Rows that each max_seq_length cuts",
            "max_seq_length",
            "share of the rows",
            [
                Series(
                    name,
                    [row["max_seq_length"] for row in found.truncation],
                    [row["cut"][name] for row in found.truncation],
                )
                for name in splits
            ],
            kind="lines",
        )
    )
    return made


def _lengths(found: Exploration, kind: str) -> Chart:
    """A histogram as the tutorial's: counts on a logarithmic axis, the last bin with all beyond."""
    series = []
    for name, split in found.to_plain()["splits"].items():
        histogram = split[kind]["histogram"]
        middles = [
            (low + high) / 2
            for low, high in zip(histogram["edges"], histogram["edges"][1:], strict=False)
        ]
        bars = [(at, n) for at, n in zip(middles, histogram["counts"], strict=True) if n]
        series.append(Series(name, [at for at, _ in bars], [count for _, count in bars]))
    what = kind.replace("_", " ")
    about = "" if kind != "word_pieces" or found.measured else " (estimated)"
    title = f"Lengths in {what}{about}; the last bar has all that are longer, too"
    return Chart(kind, title, f"{what} of a row", "rows, logarithmic", series, log=True)


def page(found: Exploration) -> Page:
    """The whole exploration as one page."""
    drawn = {chart.name: chart.figure() for chart in charts(found)}
    plain = found.to_plain()
    sections = [
        Section("Labels", [label_table(plain), drawn["labels"]]),
        Section(
            "Lengths",
            [*(part for kind in KINDS for part in (drawn[kind], length_table(plain, kind)))],
        ),
        Section("Do the splits look alike?", [Sentences([found.verdict]), test_table(found)]),
        Section("What a sequence length cuts", [truncation_table(found), drawn["truncation"]]),
        Section("Repeated rows and leaks", [Sentences(list(repeats_told(found)))]),
        Section("Likely label errors", list(_errors(found))),
        Section("Samples", [_samples(found)]),
    ]
    if found.word_pieces is not None:
        sections.append(Section("Word pieces of an example", [_pieces(found.word_pieces)]))
    if found.model is not None:
        sections.append(Section("The model", list(_model(found.model))))
    return Page(f"Exploration of {found.name}", list(lead(found)), sections)


def lead(found: Exploration) -> Iterator[str]:
    """What the data are, in sentences."""
    rows = {name: len(frame) for name, frame in found.dataset.splits.items()}
    each = ", ".join(f"{name} {count:,}" for name, count in rows.items())
    yield f"{sum(rows.values()):,} rows in {len(found.dataset.labels)} classes: {each}."
    yield from found.subject.notes
    for note in found.dataset.notes:
        yield note.message
    if not found.measured:
        yield (
            "Word pieces are estimated from words: "
            + ("no encoder was named." if found.subject.encoder is None else "the encoder ")
            + ("" if found.subject.encoder is None else "is not on this machine yet.")
        )


def repeats_told(found: Exploration) -> Iterator[str]:
    """Rows that repeat within a split, and those that stand in two."""
    near = found.near
    among = "" if near.compared == _rows(found) else f" among {near.compared:,} rows drawn"
    for split, count in near.repeated.items():
        if count:
            yield f"{split}: {counted(count, 'row')} with the words of an earlier one{among}."
    if not any(near.repeated.values()):
        yield f"No row has the words of an earlier one of its split{among}."
    for leak in found.leaks:
        done = "left out" if found.subject.data.leaks == "drop" else "kept"
        yield f"{counted(leak['rows'], leak['of'] + ' row')} also in {leak['in']}: {done}."
    if not found.leaks:
        yield "No row stands in two splits."


def _rows(found: Exploration) -> int:
    return sum(map(len, found.dataset.splits.values()))


def label_table(plain: Mapping[str, Any]) -> Table:
    """A row a label, rows and share of every split."""
    splits = plain["splits"]
    rows = []
    for index, label in enumerate(plain["labels"]):
        row = [str(label) + (" (positive)" if label == plain["positive"] else "")]
        for split in splits.values():
            one = split["classes"][index]
            row += [one["rows"], f"{one['share']:.1%}"]
        rows.append(row)
    columns = ["label", *(name for split in splits for name in (split, f"{split} share"))]
    return Table("Rows of each label", columns, rows, columns[1:])


def length_table(plain: Mapping[str, Any], kind: str) -> Table:
    """Mean and quantiles of the lengths of every split."""
    quantiles = ("0.05", "0.5", "0.95", "0.99")
    columns = ["split", "mean", "least", *(f"{float(q):.0%} below" for q in quantiles), "most"]
    rows = [
        [
            name,
            f"{split[kind]['mean']:.1f}",
            split[kind]["min"],
            *(f"{split[kind]['quantiles'][q]:.0f}" for q in quantiles),
            split[kind]["max"],
        ]
        for name, split in plain["splits"].items()
    ]
    return Table(f"{kind.replace('_', ' ')} of a row".capitalize(), columns, rows, columns[1:])


def test_table(found: Exploration) -> Table:
    """A row a test."""
    rows = [
        [
            one.what,
            " and ".join(one.splits),
            one.test,
            f"{one.distance:.3f}",
            f"{one.p_value:.3g}",
            "alike" if one.alike else "different",
        ]
        for one in found.comparisons
    ]
    columns = ["of what", "splits", "test", "distance", "p", "so they are"]
    return Table("Tests, told as different where p < 0.01", columns, rows, ("distance", "p"))


def truncation_table(found: Exploration) -> Table:
    """A row a sequence length."""
    splits = list(found.dataset.splits)
    columns = ["length", "in space", *(f"{name} cut" for name in splits), "word pieces", "cost"]
    rows = [
        [
            row["max_seq_length"],
            row["in_space"],
            *(f"{row['cut'][name]:.1%}" for name in splits),
            f"{row['word_pieces']:.1f}",
            f"{row['cost']:.0%}",
        ]
        for row in found.truncation
    ]
    caption = (
        "Of each max_seq_length: the share of the rows that lose their end, the mean word pieces "
        "of a training row, and the cost of training relative to the longest"
    )
    return Table(caption, columns, rows, (columns[0], *columns[2:]))


def _errors(found: Exploration) -> Iterator[Sentences | Table]:
    conflicts = found.near.conflicts
    yield Sentences([conflicts_told(found)])
    if conflicts:
        rows = [
            [
                one.nearness,
                f"{one.one.split}: {one.one.label}",
                one.one.text,
                f"{one.other.split}: {one.other.label}",
                one.other.text,
            ]
            for one in conflicts[:SHOWN]
        ]
        columns = ["how near", "label", "text", "other label", "other text"]
        yield Table("Near-identical texts with different labels", columns, rows)
    if found.missed is not None:
        yield Sentences([missed_told(found)])
        rows = [
            [str(row["label"]), str(row["predicted"]), f"{row['probability']:.3f}", row["text"]]
            for row in found.missed.rows[:SHOWN]
        ]
        columns = ["label", "predicted", "probability of the label", "text"]
        yield Table(
            "Validation rows that all of these trials get wrong", columns, rows, (columns[2],)
        )


def conflicts_told(found: Exploration, *, shown: int = SHOWN) -> str:
    """How many pairs of near texts disagree, of which `shown` are shown."""
    count = len(found.near.conflicts)
    if not count:
        return "No two near-identical texts have different labels."
    if count == 1:
        return "One pair of near-identical texts has different labels."
    some = f"; the nearest {shown} are shown" if count > shown else ""
    return f"{count:,} pairs of near-identical texts have different labels{some}."


def missed_told(found: Exploration) -> str:
    """How many validation rows all good trials get wrong."""
    if found.missed is None:
        return ""
    names = ", ".join(found.missed.trials)
    total = len(found.dataset.splits["validation"])
    return (
        f"{len(found.missed.rows):,} of {total:,} validation rows are labelled wrongly by every "
        f"good trial ({names}): they are hard, or their label is wrong."
    )


def _samples(found: Exploration) -> Table:
    pairs = found.dataset.pairs
    rows = [
        [str(one["label"]), one["text"], *([one["text_b"]] if pairs else [])]
        for one in found.samples
    ]
    columns = ["label", "text", *(["second text"] if pairs else [])]
    return Table("Training rows, drawn from each class", columns, rows)


def _pieces(example: Any) -> Table:
    parts = (example[key] for key in ("pieces", "ids", "mask", "types"))
    rows = [list(row) for row in zip(*parts, strict=True)]
    columns = ["piece", "id", "mask", "type"]
    return Table(" | ".join(example["texts"]), columns, rows, columns[1:])


def _model(model: Any) -> Iterator[Tiles | Table]:
    trained = {
        "trained" if top == "all" else f"trained with trainable_layers {top}": f"{count:,}"
        for top, count in model["trainable"].items()
    }
    yield Tiles({"parameters": f"{model['parameters']:,}", **trained})
    rows = [[one["layer"], one["output"], one["parameters"]] for one in model["layers"]]
    columns = ["layer", "output", "parameters"]
    yield Table("Layers, from the input up", columns, rows, ("parameters",))
