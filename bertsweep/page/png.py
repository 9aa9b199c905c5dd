"""Charts as PNG, by Matplotlib: no browser is needed."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

from bertsweep import atomic
from bertsweep.page.charts import PALETTE, Chart

_INCHES = (8.0, 4.5)
_DOTS = 150


def write_png(chart: Chart, path: Path) -> None:
    """Draws a chart into a PNG file of 1200 × 675 points."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Without pyplot, which would keep every figure and ask for a screen.
    figure = Figure(figsize=_INCHES, dpi=_DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw(chart, axes)
    axes.set(title=chart.title, xlabel=chart.x_title, ylabel=chart.y_title)
    if chart.log:
        axes.set_yscale("log")
    axes.grid(visible=True, axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if len(chart.series) > 1:
        axes.legend(frameon=False)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    atomic.write_file(path, content.getvalue())


def _draw(chart: Chart, axes: Any) -> None:
    places = _places(chart)
    width = 0.9 / max(1, len(chart.series))
    step = _step(list(places.values()))
    for index, one in enumerate(chart.series):
        at = [places[value] for value in one.x]
        color = PALETTE[index % len(PALETTE)]
        if chart.kind == "lines":
            axes.plot(at, list(one.y), marker="o", color=color, label=one.name)
            continue
        shift = (index + 0.5) * width - 0.45
        shifted = [place + shift * step for place in at]
        axes.bar(shifted, list(one.y), width * step, color=color, label=one.name)
    if any(isinstance(value, str) for value in places):
        axes.set_xticks(list(places.values()), list(places), rotation=_slant(places))


def _places(chart: Chart) -> dict[Any, float]:
    """Each x value → its place: numbers where they are, names one after the other."""
    values = list(dict.fromkeys(value for one in chart.series for value in one.x))
    if any(isinstance(value, str) for value in values):
        return {value: float(index) for index, value in enumerate(values)}
    return {value: float(value) for value in values}


def _step(places: list[float]) -> float:
    """The least distance between two places."""
    ordered = sorted(set(places))
    gaps = [after - before for before, after in itertools.pairwise(ordered)]
    return min(gaps, default=1.0)


def _slant(names: dict[Any, float]) -> int:
    return 45 if sum(map(len, map(str, names))) > 70 else 0
