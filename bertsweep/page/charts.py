"""Charts that are drawn twice: by Plotly on the page, and by Matplotlib as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bertsweep.page.parts import Figure

PALETTE = ("#3b78c3", "#d9822b", "#3f9b6c", "#a85bb0", "#c4475a", "#7a7f87")
"""Colours that stay apart for those who see few colours, and on light and dark ground."""


@dataclass(frozen=True)
class Series:
    """Values of one colour; `x` are numbers or names."""

    name: str
    x: Sequence[Any]
    y: Sequence[float]


@dataclass(frozen=True)
class Chart:
    """Bars beside one another, or lines, over one x axis; `log` has logarithmic counts.

    `name` is unique on a page, and the name of the PNG.
    """

    name: str
    title: str
    x_title: str
    y_title: str
    series: Sequence[Series]
    kind: Literal["bars", "lines"] = "bars"
    log: bool = False

    def figure(self) -> Figure:
        """The same for a page."""
        named = len(self.series) > 1
        data = [
            {
                "type": "bar" if self.kind == "bars" else "scatter",
                **({} if self.kind == "bars" else {"mode": "lines+markers"}),
                "name": one.name,
                "x": list(one.x),
                "y": list(one.y),
                "marker": {"color": PALETTE[index % len(PALETTE)]},
            }
            for index, one in enumerate(self.series)
        ]
        y_axis: dict[str, Any] = {"title": {"text": self.y_title}}
        if self.log:
            # Powers of ten alone, as the many ticks between them would run into each other.
            y_axis |= {"type": "log", "dtick": 1}
        layout = {
            "barmode": "group",
            "bargap": 0.1,
            "showlegend": named,
            "legend": {"orientation": "h", "y": 1.12},
            "xaxis": {"title": {"text": self.x_title}},
            "yaxis": y_axis,
            "margin": {"l": 60, "r": 20, "t": 30, "b": 50},
        }
        names = ", ".join(one.name for one in self.series)
        said = f"{self.title}: {self.y_title} by {self.x_title}" + (
            f", for {names}" if named else ""
        )
        return Figure(self.name, self.title, {"data": data, "layout": layout}, said)
