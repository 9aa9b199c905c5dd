"""An exploration in a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bertsweep.cli._histograms import log_bars
from bertsweep.cli._output import table
from bertsweep.exploration import pages

if TYPE_CHECKING:
    from rich.console import Console

    from bertsweep.exploration import Exploration
    from bertsweep.page import Table

_SHOWN = 5
_WIDTH = 80
_LINES = 12


def tell(found: Exploration, out: Console) -> None:
    """Prints the exploration, section by section."""
    plain = found.to_plain()
    out.print(f"exploration of {found.name}", style="bold")
    _sentences(pages.lead(found), out)
    _heading("labels", out)
    _table(pages.label_table(plain), out)
    for kind in pages.KINDS:
        _lengths(plain, kind, out, estimated=kind == "word_pieces" and not found.measured)
    _heading("do the splits look alike?", out)
    _sentences([found.verdict, *(one.told for one in found.comparisons if not one.alike)], out)
    _heading("what a max_seq_length cuts, and what training on it costs", out)
    _table(pages.truncation_table(found), out)
    _heading("repeated rows and leaks", out)
    _sentences(pages.repeats_told(found), out)
    _heading("likely label errors", out)
    _errors(found, out)
    _heading("samples of the training rows", out)
    # One of each class, as far as they fit.
    first = {str(one["label"]): one for one in reversed(found.samples)}
    rows = [(label, _cut(_text(one), 60)) for label, one in sorted(first.items())[:_LINES]]
    out.print(table(("label", "text"), rows))
    if found.word_pieces is not None:
        _heading("word pieces of an example", out)
        _pieces(found.word_pieces, out)
    if found.model is not None:
        _heading("the model", out)
        _model(found.model, out)


def _heading(title: str, out: Console) -> None:
    out.print()
    out.print(title, style="bold")


def _sentences(lines: Any, out: Console) -> None:
    for line in lines:
        out.print(line)


def _table(shown: Table, out: Console) -> None:
    rows = [["yes" if v is True else "no" if v is False else v for v in row] for row in shown.rows]
    out.print(table(shown.columns, rows, right=shown.right))


def _lengths(plain: Mapping[str, Any], kind: str, out: Console, *, estimated: bool) -> None:
    about = ", estimated" if estimated else ""
    _heading(f"{kind.replace('_', ' ')} of a row{about}; bars of training rows, logarithmic", out)
    histogram = plain["splits"]["train"][kind]["histogram"]
    for line in log_bars(histogram["edges"], histogram["counts"], lines=_LINES, width=_WIDTH):
        out.print(line)
    _table(pages.length_table(plain, kind), out)


def _errors(found: Exploration, out: Console) -> None:
    conflicts = found.near.conflicts
    out.print(pages.conflicts_told(found, shown=_SHOWN))
    for one in conflicts[:_SHOWN]:
        out.print(f"  {one.nearness}:")
        for row in (one.one, one.other):
            out.print(f"    {row.split}, {row.label}: {_cut(row.text, 58)}")
    if found.missed is None:
        return
    out.print(pages.missed_told(found))
    rows = [
        (
            str(row["label"]),
            str(row["predicted"]),
            f"{row['probability']:.3f}",
            _cut(row["text"], 44),
        )
        for row in found.missed.rows[:_SHOWN]
    ]
    out.print(table(("label", "predicted", "p(label)", "text"), rows, right=("p(label)",)))


def _pieces(example: Mapping[str, Any], out: Console) -> None:
    out.print(_cut(" | ".join(example["texts"]), 200))
    for name in ("pieces", "ids", "mask", "types"):
        values = " ".join(map(str, example[name]))
        out.print(f"{name}: {values}")


def _model(model: Mapping[str, Any], out: Console) -> None:
    rows = [
        (one["layer"], one["output"], f"{one['parameters']:,}") for one in _grouped(model["layers"])
    ]
    out.print(table(("layer", "output", "parameters"), rows, right=("parameters",)))
    out.print(f"parameters: {model['parameters']:,}")
    for top, count in model["trainable"].items():
        what = "trained" if top == "all" else f"trained with trainable_layers {top}"
        out.print(f"{what}: {count:,}")


def _grouped(layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The encoder's layers, which are alike, on one line."""
    alike = [one for one in layers if one["layer"].startswith("encoder layer ")]
    if len(alike) < 2:
        return list(layers)
    total = sum(one["parameters"] for one in alike)
    name = f"{len(alike)} encoder layers of {alike[0]['parameters']:,}"
    merged = {"layer": name, "output": alike[0]["output"], "parameters": total}
    first = layers.index(alike[0])
    return [*layers[:first], merged, *layers[first + len(alike) :]]


def _text(row: Mapping[str, Any]) -> str:
    return " | ".join(row[name] for name in ("text", "text_b") if name in row)


def _cut(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
