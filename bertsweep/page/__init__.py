"""One self-contained HTML file: words, tables and figures, and no request to any address."""

from bertsweep.page.charts import Chart, Series
from bertsweep.page.parts import Figure, Page, Section, Sentences, Table, Tiles
from bertsweep.page.png import write_png
from bertsweep.page.rendering import html

__all__ = [
    "Chart",
    "Figure",
    "Page",
    "Section",
    "Sentences",
    "Series",
    "Table",
    "Tiles",
    "html",
    "write_png",
]
