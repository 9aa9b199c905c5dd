"""How far a command is: told to those who wait, and to nobody else."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bertsweep.cli import _progress


def told(*, terminal: bool) -> str:
    """What is written while 4 of 10 rows, then all, are done."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=100)
    with _progress.shown(console) as progress:
        for done in (2, 4, 10):
            progress("scoring t0001", done, 10)
        progress("reading", 3, None)
    return stream.getvalue()


def test_what_is_over_at_once_is_not_told() -> None:
    assert told(terminal=False) == ""


def test_who_waits_is_told_how_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "_EVERY_SECONDS", 0.0)
    lines = told(terminal=False).splitlines()
    assert lines[0] == "scoring t0001: 2 of 10"
    assert lines[1].startswith("scoring t0001: 4 of 10, about ")
    assert lines[1].endswith(" left")
    assert lines[-1] == "reading: 3"


def test_a_terminal_shows_bars_that_vanish() -> None:
    assert "scoring t0001" in told(terminal=True)
