"""`bertsweep init`: what it asks, what it says, what it refuses."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.cli.test_errors import complains
from tests.cli.test_json import example, shape
from tests.support.clisweeps import Done, cli
from tests.support.datafiles import questions, written

REPOSITORY = Path(__file__).parents[2]


class Terminal(io.StringIO):
    """A person at the keyboard who types these lines."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())


@pytest.fixture
def rows(tmp_path: Path) -> str:
    frame = questions(300, classes=["yes", "no"])
    frame["kind"] = [f"kind {index % 3}" for index in range(300)]
    return Path(written(tmp_path, frame)).name


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str, command: tuple[str, ...] = ()) -> Done:
    monkeypatch.setattr("sys.stdin", Terminal("".join(f"{line}\n" for line in lines)))
    return cli("init", *command)


def test_it_says_what_it_guessed_and_what_to_type_next(rows: str) -> None:
    done = cli("init", rows, "--encoder", "builtin:tiny")
    assert done.code == 0, done.err
    for words in (
        "text: the column 'text'",
        "label: the column 'label'",
        "metric: val_accuracy",
        "budget: 20 trials, roughly",
        "wrote rows.yaml",
        "bertsweep run rows.yaml",
    ):
        assert words in done.out
    assert cli("validate", "rows.yaml").code == 0


def test_the_document_is_as_described(rows: str) -> None:
    done = cli("init", rows, "--encoder", "builtin:tiny", "--json")
    printed, described = done.json, example("init")
    for free in ("labels", "positive", "advice"):
        printed.pop(free), described.pop(free)
    assert shape(printed) == shape(described)


def test_without_a_terminal_the_missing_option_is_named(rows: str) -> None:
    complains(cli("init"), "DATA", "bertsweep init FILE", "--template")
    complains(cli("init", rows), "--encoder SOURCE", "builtin:tiny")
    complains(cli("init", rows, "--text", "txt", "--encoder", "builtin:tiny"), "--text", "'text'")
    assert not list(Path().glob("*.yaml"))


def test_in_a_terminal_it_asks_and_takes_its_guess_for_an_empty_answer(
    rows: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = typed(monkeypatch, "", rows, "", "knid", "", "kind", "builtin:tiny")
    assert done.code == 0, done.err
    assert "text column [text]:" in done.err
    assert "label column [label]:" in done.err
    assert "Did you mean --label kind?" in done.err
    assert "label: kind\n" in Path("rows.yaml").read_text()


def test_what_is_given_is_not_asked_for(rows: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named = (rows, "--text", "text", "--label", "kind", "--encoder", "builtin:tiny")
    assert typed(monkeypatch, command=named).code == 0
    complains(typed(monkeypatch, command=(rows, "--out", "b.yaml")), "--text")


def test_an_existing_file_is_kept_without_force(rows: str) -> None:
    Path("rows.yaml").write_text("mine")
    complains(cli("init", rows, "--encoder", "builtin:tiny"), "rows.yaml exists", "--force")
    assert Path("rows.yaml").read_text() == "mine"


def test_templates_are_the_files_of_the_repository() -> None:
    listed = cli("init", "--template", "--json").json["templates"]
    files = {path.stem: path for path in (REPOSITORY / "search_spaces").glob("*.yaml")}
    assert set(listed) == set(files)
    for name, path in files.items():
        assert cli("init", "--template", name, "--out", f"my-{name}.yaml").code == 0
        text = Path(f"my-{name}.yaml").read_text()
        assert text.replace(f"my-{name}.yaml", f"search_spaces/{name}.yaml") == path.read_text()
        assert f"bertsweep run my-{name}.yaml" in text
        assert cli("validate", f"my-{name}.yaml").code == 0


def test_a_wrong_template_names_them_all() -> None:
    complains(cli("init", "--template", "qora"), "'qora'", "quickstart", "Did you mean quora?")
    assert cli("init", "--template").out.count("\n") > 4
    complains(cli("init", "x.csv", "--template", "quora"), "leave out data")
