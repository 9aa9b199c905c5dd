"""Wrong input: exit 2, a message that says what to do, never a traceback."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from bertsweep.cli import _app
from bertsweep.errors import InterruptedSweep
from tests.support import clisweeps
from tests.support.clisweeps import Done, cli

SPEC = """\
name: demo
data: {source: "builtin:questions"}
encoder: {source: "builtin:tiny"}
space: {dropout: [0.1, 0.5]}
"""
BROKEN = sorted((Path(__file__).parents[1] / "spec" / "broken").glob("*.yaml"))


def complains(done: Done, *words: str) -> None:
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert done.out == ""
    assert len(done.err) > 20
    for word in words:
        assert word in done.err, done.err


def settings(file: Path) -> list[str]:
    """The `--set` options that a broken file asks for in its comments."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    given = [line.removeprefix("# set:").strip() for line in lines if line.startswith("# set:")]
    return [word for setting in given for word in ("--set", setting)]


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_file_is_refused(file: Path) -> None:
    complains(cli("validate", file, *settings(file)), str(file))


@pytest.mark.parametrize("file", BROKEN[::25], ids=lambda file: file.stem)
def test_run_refuses_it_alike_and_leaves_nothing_behind(file: Path, tmp_path: Path) -> None:
    done = cli("run", file, *settings(file), "--storage", tmp_path / "runs")
    assert done == cli("validate", file, *settings(file))
    assert done.code == 2
    assert not (tmp_path / "runs").exists()


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "quora.yaml").write_text(SPEC)
    complains(cli("validate", tmp_path / "qoura.yaml"), "quora.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    complains(cli("validate", tmp_path), "folder")


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.yaml"
    file.write_bytes(bytes(range(128, 256)) * 10)
    complains(cli("validate", file), "UTF-8")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text(SPEC)
    file.chmod(0)
    complains(cli("validate", file), "permission")


@pytest.mark.parametrize(
    "setting", ["space.dropuot=0.3", "space.dropout", "=3", "budget.trials=many", "name=[", "x.y=1"]
)
def test_a_wrong_setting_is_refused(tmp_path: Path, setting: str) -> None:
    file = tmp_path / "demo.yaml"
    file.write_text(SPEC)
    complains(cli("validate", file, "--set", setting))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["rnu", "x.yaml"], "Did you mean 'run'?"),
        (["frobnicate"], "validate"),
        (["run"], "FILE"),
        (["show"], "SWEEP"),
        (["best", "a", "b"], "b"),
        (["ls", "--jsn"], "--jsn"),
        (["resume", "demo", "--trials", "none"], "--trials"),
        (["resume", "demo", "--trials", "0"], "--trials"),
    ],
)
def test_a_wrong_command_line_is_refused(arguments: list[str], word: str) -> None:
    complains(cli(*arguments), word)


def test_storage_that_is_no_folder_is_refused() -> None:
    complains(cli("ls", "--storage", "s3://bucket/runs"), "s3://bucket/runs", "folder")


def test_predict_refuses_what_it_cannot_label(tmp_path: Path) -> None:
    clisweeps.finished_sweep(tmp_path)
    target = ["predict", "demo", "--storage", tmp_path]
    table = tmp_path / "texts.csv"
    table.write_text("body,other\na,b\n")
    broken = tmp_path / "texts.jsonl"
    broken.write_text('{"question": "a"}\n{"question": \n')
    russian = tmp_path / "russian.txt"
    russian.write_bytes("gut\nкак дела\n".encode("cp1251"))
    fake = tmp_path / "texts.parquet"
    fake.write_text("not parquet")
    complains(cli(*target), "--file")
    complains(cli(*target, "--file", tmp_path / "none.txt"), "none.txt")
    complains(cli(*target, "--file", table), "'question'", "'body', 'other'", "--column")
    complains(cli(*target, "--file", broken), "line 2")
    complains(cli(*target, "--file", russian), "line 2", "UTF-8", "data.table.encoding")
    complains(cli(*target, "--file", fake), "parquet")
    complains(cli(*target, "--file", table, "and a text"), "both")
    complains(cli(*target, "a text", "--column", "body"), "--file")
    complains(cli(*target, "--file", table, *["--column", "other"] * 3), "two for pairs", "3")
    complains(cli(*target, "--file", table, "--column", "bdy"), "Did you mean --column body?")
    complains(cli(*target, "--file", table, "--set", "budget.trials=5"), "data.table.header")
    complains(cli(*target, "--file", table, "--set", "data.table.headr=false"), "`header`")
    complains(cli(*target, "--file", table, "--set", "data=5"), "data")
    complains(cli(*target, "--file", tmp_path), "folder")
    complains(cli(*target, "one", "--text-b", "two", "--text-b", "three"), "1 and 2")


def test_a_folder_inside_a_sweep_is_no_sweep(tmp_path: Path) -> None:
    clisweeps.finished_sweep(tmp_path, "demo")
    complains(cli("resume", tmp_path / "demo" / "trials", "--storage", tmp_path))


class Breaks:
    """A verb that raises what it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def __call__(self, error: BaseException, *arguments: str) -> Done:
        def root(storage: object) -> Path:
            raise error

        self.monkeypatch.setattr("bertsweep.cli.ls.storage_root", root)
        return cli("ls", *arguments)


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Breaks:
    import bertsweep.cli.ls  # noqa: F401 - so that there is something to exchange

    return Breaks(monkeypatch)


def test_a_defect_is_one_line_and_exit_3(breaks: Breaks) -> None:
    done = breaks(ValueError("two\nlines"))
    assert done.code == 3
    assert done.err.count("\n") == 1
    assert "ValueError: two lines" in done.err
    assert "run again with --debug" in done.err


def test_debug_shows_the_traceback(breaks: Breaks) -> None:
    done = breaks(ValueError("no"), "--debug")
    assert done.code == 3
    assert "Traceback" in done.err
    assert "run again" not in done.err


def test_a_fault_of_the_disk_is_exit_3_and_names_the_file(breaks: Breaks) -> None:
    done = breaks(OSError(28, "No space left on device", "/data/x"))
    assert done.code == 3
    assert "/data/x: No space left on device" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InterruptedSweep("bertsweep resume demo")])
def test_an_interrupt_is_exit_130(breaks: Breaks, error: BaseException) -> None:
    done = breaks(error)
    assert done.code == 130
    assert done.err.strip() == (str(error) or "interrupted")


def test_every_verb_has_help_with_a_real_command() -> None:
    for verb, line in _app.VERBS.items():
        done = cli(verb, "--help")
        assert done.code == 0
        assert f"bertsweep {verb}" in done.out.split("Examples:")[1]
        assert line in " ".join(cli("--help").out.split())


def test_version_is_that_of_the_package() -> None:
    from bertsweep import __version__

    assert cli("--version").out.strip() == __version__


def run_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "import sys; from bertsweep.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", BROKEN[::40], ids=lambda file: file.stem)
def test_a_real_process_refuses_a_broken_file(file: Path) -> None:
    done = run_process("validate", file, *settings(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_real_process_ends_with_the_code_and_the_message(tmp_path: Path) -> None:
    done = run_process("validate", tmp_path / "none.yaml")
    assert done.returncode == 2
    assert "none.yaml" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_help_comes_at_once() -> None:
    def seconds() -> float:
        # Processor time: other work on the machine is not what is measured.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run_process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.3
