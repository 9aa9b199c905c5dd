"""A page → HTML. What it needs is in it; a policy in its head forbids the rest."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from bertsweep.page.charts import PALETTE
from bertsweep.page.parts import Page
from bertsweep.version import VERSION


def html(page: Page) -> str:
    """Returns the page as one HTML file of about 5 MB, most of it Plotly; less without figures."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["cell"] = _cell
    return environment.get_template("page.html.j2").render(
        page=page,
        css=_file("page.css.txt"),
        script=_file("page.js.txt"),
        palette=_json(PALETTE),
        figures={figure.name: _json(figure.plotly) for figure in page.figures},
        plotly=_plotly() if page.figures else "",
        version=VERSION,
    )


def _file(name: str) -> str:
    return resources.files("bertsweep.page").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _json(value: Any) -> str:
    """JSON that may stand within a script: nothing in it ends the element."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
