"""A page is one file that asks for nothing, says everything in text, and shows what it is given."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bertsweep.page import (
    Chart,
    Page,
    Section,
    Sentences,
    Series,
    Table,
    Tiles,
    html,
    write_png,
)

HOSTILE = "</script><script>document.title='broken'</script> & <b>"


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.words.append(data)


def chart(name: str = "lengths", **changes: object) -> Chart:
    series = [Series("train", [1, 2, 4], [10, 100, 1]), Series(HOSTILE, [1, 2], [3, 4])]
    return Chart(name, "Lengths", "words", "rows", series, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def text() -> str:
    parts = [
        Sentences([HOSTILE]),
        Tiles({"parameters": "1,000"}),
        Table("Rows", ["label", "rows"], [[HOSTILE, 1234], [None, 0.5]], ("rows",)),
        chart(log=True).figure(),
        chart("second", kind="lines").figure(),
    ]
    return html(Page("A page", ["lead"], [Section("First part", parts)]))


def test_it_names_no_address_and_its_policy_forbids_all(text: str) -> None:
    tags = Reader(text).tags
    for _, attributes in tags:
        for name in ("src", "href", "srcset", "data", "action"):
            value = attributes.get(name) or ""
            assert value == "" or value.startswith(("#", "data:")), attributes
    policy = next(a["content"] for _, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in str(policy)
    assert "http" not in str(policy)
    assert "connect-src" not in str(policy)


def test_plotly_stands_in_it_once_and_only_where_there_is_a_figure(text: str) -> None:
    assert text.count("plotly.js v") == 1
    assert len(text) < 6_000_000
    bare = html(Page("A page", [], [Section("Words", [Sentences(["none"])])]))
    assert "plotly" not in bare.lower()
    assert len(bare) < 20_000


def test_text_stays_text(text: str) -> None:
    reader = Reader(text)
    assert HOSTILE in "".join(reader.words)
    assert not [tag for tag, _ in reader.tags if tag == "b"]
    found = re.search(r'id="data-lengths">(.*?)</script>', text)
    assert found is not None
    figure = json.loads(found.group(1))
    assert figure["data"][1]["name"] == HOSTILE
    assert figure["layout"]["yaxis"]["type"] == "log"


def test_headings_tables_and_figures_can_be_heard(text: str) -> None:
    reader = Reader(text)
    of = {tag: [a for t, a in reader.tags if t == tag] for tag in ("html", "section", "th", "div")}
    assert of["html"] == [{"lang": "en"}]
    assert [one["aria-labelledby"] for one in of["section"]] == ["first-part"]
    assert {one["scope"] for one in of["th"]} == {"col", "row"}
    plots = [one for one in of["div"] if one.get("class") == "plot"]
    assert [one["role"] for one in plots] == ["img", "img"]
    assert all("rows by words" in str(one["aria-label"]) for one in plots)


def test_a_chart_is_a_png_too(tmp_path: Path) -> None:
    named = Chart("names", "Names", "label", "rows", [Series("a", ["x", "y"], [1, 2])])
    for index, one in enumerate((chart(log=True), chart(kind="lines"), named)):
        write_png(one, tmp_path / f"{index}.png")
        assert (tmp_path / f"{index}.png").read_bytes().startswith(b"\x89PNG")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 3


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_draws_it_without_a_word_on_the_console(text: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(text)
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000")
    done = subprocess.run(
        ["chromium", *options, "--enable-logging=stderr", "--dump-dom", tmp_path / "page.html"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "CONSOLE" not in done.stderr
    assert "<title>A page</title>" in done.stdout
    assert done.stdout.count('class="main-svg"') >= 4
