"""What a page is made of. All text is plain: the template escapes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sentences:
    """Paragraphs, one a line."""

    lines: Sequence[str]
    kind: str = "sentences"


@dataclass(frozen=True)
class Tiles:
    """Key figures side by side: what they are → how much."""

    values: Mapping[str, str]
    kind: str = "tiles"


@dataclass(frozen=True)
class Table:
    """A table with a caption; the columns in `right` hold numbers, and stand on the right."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    right: Collection[str] = ()
    kind: str = "table"


@dataclass(frozen=True)
class Figure:
    """A Plotly figure: `plotly` is {data, layout}, without colours of text, grid and paper.

    `name` is unique on the page. `description` says what is to be seen, for those who see nothing.
    """

    name: str
    title: str
    plotly: Mapping[str, Any]
    description: str
    height: int = 340
    kind: str = "figure"


Part = Sentences | Tiles | Table | Figure


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading, which its list of contents names."""

    title: str
    parts: Sequence[Part]

    @property
    def anchor(self) -> str:
        """The name to jump to."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())


@dataclass(frozen=True)
class Page:
    """The whole: `lead` stands under the title."""

    title: str
    lead: Sequence[str]
    sections: Sequence[Section] = field(default_factory=tuple)

    @property
    def figures(self) -> list[Figure]:
        return [
            part for section in self.sections for part in section.parts if isinstance(part, Figure)
        ]
