"""Every broken file says key path, line, rule and remedy of each of its problems, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertsweep.errors import SpecError
from bertsweep.spec import load

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def header(path: Path, kind: str) -> list[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.removeprefix(kind) for line in lines if line.startswith(kind)]


def test_there_are_many():
    assert len(BROKEN) >= 35


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_says_what_is_wrong_and_what_to_type(path):
    expected = [line.split(" | ") for line in header(path, "# expect: ")]
    assert expected

    with pytest.raises(SpecError) as caught:
        load(path, overrides=header(path, "# set: "))

    problems = caught.value.problems
    assert caught.value.exit_code == 2
    assert [
        (" -> ".join(str(part) for part in problem.path) or "(top level)", str(problem.line or "-"))
        for problem in problems
    ] == [(key, line) for key, line, _, _ in expected]
    for problem, (_, _, rule, remedy) in zip(problems, expected, strict=True):
        assert rule in problem.rule
        assert problem.remedy
        assert remedy in problem.remedy


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_speaks_to_people(path):
    with pytest.raises(SpecError) as caught:
        load(path, overrides=header(path, "# set: "))
    said = str(caught.value)
    for jargon in ("Input should", "type=", "pydantic", "NoneType", "Traceback", "ruamel", "{'"):
        assert jargon not in said
