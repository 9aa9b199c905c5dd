"""How the command line writes: JSON documents, tables, and numbers short enough to read."""

from __future__ import annotations

import codecs
import json
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import to_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PIPED_WIDTH = 200
"""Columns when nobody watches: wide enough that no cell of a table is cut."""


def print_json(document: Any) -> None:
    """Writes one JSON document on stdout; numbers that are not finite become null.

    An iterator in it is a list whose items are made, written and forgotten one by one, each on a
    line of its own: indented, thousands of trials would take twice the time and space.
    """
    encoding = sys.stdout.encoding or "utf-8"
    # A pipe may have an encoding that lacks a character; escapes say the same in JSON.
    escape = codecs.lookup(encoding).name != "utf-8"
    for piece in _pieces(document, "\n", escape):
        sys.stdout.write(piece)
    sys.stdout.write("\n")


def console(*, stderr: bool = False) -> Console:
    """A rich console on stdout or stderr: markup off, because file names may hold brackets."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(file=stream, markup=False, highlight=False, width=width, soft_wrap=False)


def warn(sentence: str) -> None:
    """Tells the user something on stderr that stdout, which may be piped on, has no place for."""
    console(stderr=True).print(sentence, soft_wrap=True)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Collection[str] = ()
) -> Table:
    """A plain table without header where the columns have no names.

    Cells are shown by `short`; those of the columns `right` line up on the right.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    result = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=any(columns))
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        result.add_column(column, justify=justify, overflow="fold")
    for row in rows:
        result.add_row(*(Text(short(cell)) for cell in row))
    return result


def short(value: Any) -> str:
    """A value in few characters: four significant digits, `-` for nothing."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else str(value)
    return str(value)


def score(value: float | None) -> str:
    """A metric value with the four decimals that comparisons need."""
    return "-" if value is None else f"{value:.4f}"


def parameters(params: Mapping[str, Any], *, only: Iterable[str] | None = None) -> str:
    """Parameters on one line; with `only`, those alone."""
    names = params if only is None else [name for name in only if name in params]
    return ", ".join(f"{name} {short(params[name])}" for name in names)


def duration(seconds: float) -> str:
    """A span of time in the unit one would say it in."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def _pieces(value: Any, margin: str, escape: bool) -> Iterator[str]:
    """The text of a document, piece by piece; each item of an iterator is one piece."""
    if isinstance(value, Mapping) and value and margin == "\n":
        opening = "{"
        for key, item in value.items():
            yield f"{opening}{margin}  {_text(str(key), escape)}: "
            yield from _pieces(item, margin + "  ", escape)
            opening = ","
        yield margin + "}"
    elif isinstance(value, Iterator):
        opening, closing = "[", "[]"
        for item in value:
            yield f"{opening}{margin}  {_text(item, escape, indent=None)}"
            opening, closing = ",", margin + "]"
        yield closing
    else:
        yield _text(value, escape).replace("\n", margin)


def _text(value: Any, escape: bool, *, indent: int | None = 2) -> str:
    try:
        # Ten times as fast as the standard library where documents are large.
        text = to_json(value, indent=indent, inf_nan_mode="null").decode()
    except ValueError:  # half a surrogate pair, as a file name may hold, is in no encoding
        return json.dumps(_plain(value), indent=indent, allow_nan=False)
    return json.dumps(json.loads(text), indent=indent) if escape else text


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
