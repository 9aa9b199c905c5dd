"""How a preparation says how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, "int | None"], None]
"""Called with (what is being done, amount done, whole amount or None where it is not known)."""
