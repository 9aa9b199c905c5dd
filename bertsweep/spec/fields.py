"""What the sections of a search space file are made of: their base, and types of their values."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """A mapping of the file: strict types, unknown keys refused, frozen once read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        defer_build=True,  # sections are mostly read within the whole file: half the import time
    )


def as_tuple(value: Any) -> Any:
    """A list as a tuple, all else as it is."""
    return tuple(value) if isinstance(value, list) else value


def one_or_more(value: Any) -> Any:
    """One text or number as a tuple of it."""
    one = isinstance(value, (str, int)) and not isinstance(value, bool)
    return (value,) if one else as_tuple(value)


def as_kind(value: Any) -> Any:
    """A plain text as the section with that `kind`."""
    return {"kind": value} if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
ShareOrCount = Count | Share
Column = Text | Count
"""The name of a column, or its number (from 1) where a table has no header."""
Columns = Annotated[
    tuple[Column, ...], Field(min_length=1, max_length=2), BeforeValidator(one_or_more)
]
Addresses = Annotated[tuple[Text, ...], BeforeValidator(one_or_more)]
Character = Annotated[str, Field(min_length=1, max_length=1)]
Files = Text | Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(as_tuple)]
"""One path, glob pattern or address, or several, whose rows follow one another."""
