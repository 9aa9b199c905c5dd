"""The questions of `bertsweep init`: asked in a terminal, answered by options elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bertsweep.cli._output import table
from bertsweep.errors import BertsweepError, InputError
from bertsweep.paths import cache_root

if TYPE_CHECKING:
    from rich.console import Console

    from bertsweep.draft import Looked

_WIDEST = 44


def source(out: Console, *, ask: bool) -> str:
    """The data. Raises `InputError` where nobody can be asked."""
    if not ask:
        raise InputError(
            "init looks at labelled text, but no DATA was named. Type `bertsweep init FILE`, or "
            "`bertsweep init --template` for the files that come with bertsweep."
        )
    return _answer(out, "labelled text (file, folder or address)", named="DATA")


def columns(out: Console, looked: Looked, *, text: list[str] | None, label: str | None) -> Looked:
    """The same with the columns that were answered; those that an option names are not asked for.

    A wrong answer is asked for again.
    """
    from bertsweep.draft import look

    rows = [
        (name, len({value for value in values if value}), _example(values))
        for name, values in looked.seen.columns.items()
    ]
    out.print(table(("column", "different values", "example"), rows, right=("different values",)))
    while True:
        usual = " ".join(looked.columns.text)
        names = list(text or ()) or _names(
            _answer(out, "text column", usual, named="--text"), looked.seen.columns, usual, looked
        )
        chosen = label or _answer(out, "label column", looked.columns.label, named="--label")
        if (tuple(names), chosen) == (looked.columns.text, looked.columns.label):
            return looked
        try:
            return look(
                looked.source,
                text=names,
                label=chosen,
                settings=looked.settings,
                cache=cache_root(),
            )
        except BertsweepError as error:
            if text and label:
                raise
            out.print(str(error), soft_wrap=True)


def encoder(out: Console, *, ask: bool) -> str:
    """The encoder. Raises `InputError` where nobody can be asked."""
    from bertsweep.draft import known_encoders
    from bertsweep.system import gpu_memory_mb

    known = known_encoders(gpus=len(gpu_memory_mb()))
    if not ask:
        named = "; ".join(f"{name} ({what})" for name, what in known.items())
        raise InputError(f"init needs an encoder. Name it: --encoder SOURCE, such as {named}.")
    for name, what in known.items():
        out.print(f"  {name}", soft_wrap=True)
        out.print(f"      {what}", soft_wrap=True)
    return _answer(out, "encoder", next(iter(known)), named="--encoder")


def _names(answer: str, there: Iterable[str], usual: str, looked: Looked) -> list[str]:
    if answer == usual:
        return list(looked.columns.text)
    return [answer] if answer in there else answer.split()


def _answer(out: Console, question: str, usual: str | None = None, *, named: str) -> str:
    shown = f" [{usual}]" if usual else ""
    while True:
        out.print(f"{question}{shown}: ", end="", soft_wrap=True)
        try:
            given = input().strip()
        except EOFError as error:
            out.print()
            raise InputError(
                f"there was no answer. Name it on the command line: {named}."
            ) from error
        if given or usual:
            return given or str(usual)


def _example(values: Iterable[str | None]) -> str:
    found = next((" ".join(value.split()) for value in values if value and value.strip()), "")
    return found if len(found) <= _WIDEST else f"{found[: _WIDEST - 1]}…"
