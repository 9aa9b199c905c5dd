"""What `run` says before a sweep and `run` and `resume` say after it."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bertsweep.cli._sweeping import conclude, describe, handle, next_commands, places
from bertsweep.errors import NoUsableTrialError
from bertsweep.ledger.events import SweepEnded, TrialFailed
from bertsweep.paths import SweepPaths
from bertsweep.results import Sweep
from bertsweep.spec import parse
from tests.cli.test_json import example
from tests.support import clisweeps
from tests.support.clisweeps import cli

SPEC = """\
name: demo
data: {source: [SOURCE], text: [a, b], label: same, split: {validation: 400}}
encoder: {source: "builtin:tiny"}
space: {dropout: [0.1, 0.5], epochs: 1}
budget: {trials: 6, hours: 2}
"""


def test_what_will_run_is_said_before_it_runs() -> None:
    text = "\n".join(describe(parse(SPEC.replace("[SOURCE]", "pairs.csv"), source="demo.yaml")))
    assert (
        "sweep demo: 6 trials or 2 hours, whichever comes first, sampler tpe, scheduler asha"
        in text
    )
    assert "ranked by val_average_precision; threshold of two classes: best F1\n" in text
    assert "positive: decided from the data (the label 1, true, yes or positive, else" in text
    assert "searched: dropout\n" in text
    assert "data: pairs.csv; text a + b, label same" in text
    assert "validation 400" in text
    assert "encoder: builtin:tiny" in text
    assert "concurrent auto" in text


def test_a_file_for_each_split_is_said_too() -> None:
    spec = SPEC.replace("[SOURCE]", "{train: t.csv, test: e.csv}").replace(
        "validation: 400", "validation: 0.2"
    )
    assert "train t.csv" in "\n".join(describe(parse(spec, source="demo.yaml")))


def test_what_is_stated_of_the_classes_is_said_by_run_and_validate(tmp_path: Path) -> None:
    file = tmp_path / "demo.yaml"
    file.write_text(
        SPEC.replace("[SOURCE]", "pairs.csv").replace("label: same", "label: same, positive: spam")
        + "objective: {metric: val_accuracy}"
    )
    said = cli("validate", file).out, "\n".join(describe(parse(file.read_text(), source="demo")))
    for text in said:
        assert "ranked by val_accuracy; threshold of two classes: 0.5\n" in text
        assert "positive: spam\n" in text
    document = cli("validate", file, "--json", "--set", "data.positive=true").json
    assert document["positive"] is True
    assert document["objective"]["threshold"] == 0.5


def concluded(folder: Path, *, as_json: bool = False) -> tuple[str, str]:
    console, stdout = Console(file=io.StringIO(), width=160), io.StringIO()
    with contextlib.redirect_stdout(stdout):
        conclude(Sweep.open(folder), console, as_json=as_json)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue(), stdout.getvalue()


def test_the_end_ranks_compares_and_says_what_to_type_next(tmp_path: Path) -> None:
    folder = clisweeps.finished_sweep(tmp_path)
    text, _ = concluded(folder)
    rows = [line.split()[0] for line in text.splitlines() if line.strip().startswith("t0")]
    assert rows == ["t0001", "t0003", "t0000"]
    assert "best: t0001" in text
    assert "baseline: t0000" in text
    assert "positive: 1, from a probability of 0.25 (best F1 on the validation rows)" in text
    assert f"checkpoint: {folder}/trials/t0001/best-0001" in text
    assert f"bertsweep best {folder}" in text
    assert f'bertsweep predict {folder} "a text to label"' in text


def test_with_json_nothing_but_the_document_is_on_stdout(tmp_path: Path) -> None:
    text, stdout = concluded(clisweeps.finished_sweep(tmp_path), as_json=True)
    assert text == ""
    assert stdout.startswith("{")


def test_an_end_without_a_usable_trial_is_an_error_that_says_why(tmp_path: Path) -> None:
    with clisweeps.sweep(tmp_path) as ledger:
        clisweeps.propose(ledger, "t0000", {"dropout": 0.1}, origin="baseline")
        ledger.append(TrialFailed(trial="t0000", error="out of memory"))
        ledger.append(SweepEnded(status="failed", reason=None))
    with pytest.raises(NoUsableTrialError, match="out of memory"):
        concluded(tmp_path / "demo")


def test_a_sweep_is_called_by_name_where_that_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = SweepPaths(clisweeps.finished_sweep(tmp_path, "my sweep"))
    assert handle(paths) == str(tmp_path / "my sweep")
    monkeypatch.setenv("BERTSWEEP_STORAGE", str(tmp_path))
    assert handle(paths) == "my sweep"
    commands = next_commands(Sweep.open(paths.folder))
    assert commands[0] == "bertsweep best 'my sweep'"
    verbs = [command.split()[1] for command in commands]
    assert verbs == ["best", "confirm", "evaluate", "export", "predict"]


def test_places_name_only_what_is_there(tmp_path: Path) -> None:
    paths = SweepPaths(clisweeps.finished_sweep(tmp_path))
    assert len(places(paths, "best-0001")) == 2
    paths.study.touch()
    (paths.folder / "wandb" / "offline-run-1").mkdir(parents=True)
    text = "\n".join(places(paths, "best-0001"))
    assert f"{paths.study}; `bertsweep dashboard" in text
    assert "wandb sync" in text


@pytest.mark.slow
def test_a_real_run_prints_one_document_and_lines_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "demo.yaml"
    file.write_text(
        'name: demo\ndata: {source: "builtin:questions", limit: 400}\n'
        'encoder: {source: "builtin:tiny"}\nspace: {dropout: [0.1, 0.5], epochs: 1}\n'
        "budget: {trials: 2}\ntracking: {wandb: disabled}\n"
    )
    code = "import sys; from bertsweep.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "run", str(file), "--storage", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document, described = json.loads(done.stdout), example("run")
    assert document.keys() == described.keys()
    assert document["best"].keys() == described["best"].keys()
    assert document["path"] == str(tmp_path / "demo")
    assert sum(document["trials"].values()) == 2
    assert Path(document["best"]["checkpoint"], "weights.safetensors").is_file()
    assert "new best val_average_precision" in done.stderr
    assert "Traceback" not in done.stderr
