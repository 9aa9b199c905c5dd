"""What the benchmark programs share: inputs, our side, sides that take turns, tables.

The head of this file needs the standard library alone: the other side of a comparison imports it
from an environment without bertsweep's dependencies.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bertsweep.sweep.prepare import Prepared
    from bertsweep.trial.job import TrialJob

REPOSITORY = Path(__file__).resolve().parent.parent
REAL = REPOSITORY.parent / "shared" / "real"

SEED = 42
TEST_ROWS = 200
"""Neither side looks at them, but a sweep's data has a test split."""

_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


# Inputs


@dataclass(frozen=True)
class Inputs:
    """The real questions (a CSV with `question_text` and `target`) and a BERT encoder's folder."""

    questions: Path
    encoder: Path


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """The options that `inputs` reads."""
    parser.add_argument("--questions", type=Path, help=f"CSV; else {_told(REAL)}/quora/train.csv")
    parser.add_argument(
        "--encoder", type=Path, help=f"Hugging Face folder; else {_told(REAL)}/get-minilm makes it"
    )
    parser.add_argument("--work", type=Path, help="keeps what is made once; else in the cache")


def inputs(options: argparse.Namespace) -> Inputs:
    """The inputs that the options name, or the shared ones; ends the program without them."""
    questions = options.questions or REAL / "quora" / "train.csv"
    _need(questions, "the questions", "--questions CSV")
    if options.encoder is not None:
        _need(options.encoder / "config.json", "the encoder", "--encoder FOLDER")
        return Inputs(questions, options.encoder.resolve())
    folder, script = work_folder(options) / "minilm", REAL / "get-minilm"
    if not (folder / "model.safetensors").is_file():
        _need(script, "what fetches the encoder", "--encoder FOLDER")
        command = ["bash", str(script), str(folder), sys.executable]
        done = subprocess.run(command, stdout=sys.stderr, check=False)
        if done.returncode:
            raise SystemExit(f"{_told(script)} failed, so the encoder is absent: --encoder FOLDER")
    return Inputs(questions, folder)


def work_folder(options: argparse.Namespace) -> Path:
    """Where MiniLM and its hub module are kept from run to run."""
    from bertsweep.paths import cache_root

    folder: Path = options.work or cache_root() / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _need(path: Path, what: str, option: str) -> None:
    if not path.exists():
        raise SystemExit(f"{what}: absent, there is no {_told(path)}. Give {option}.")


def _told(path: Path) -> str:
    beside = path.resolve().is_relative_to(REPOSITORY.parent)
    return os.path.relpath(path, REPOSITORY) if beside else str(path)


def cut_rows(questions: Path, folder: Path, *, train: int, validation: int) -> Path:
    """A folder with train.csv, validation.csv and test.csv (`text`, `label`) for both sides."""
    from bertsweep import data
    from bertsweep.spec.models import Data, Split

    described = Data(
        source=str(questions),
        text=("question_text",),
        label="target",
        split=Split(train=train, validation=validation, test=TEST_ROWS),
    )
    dataset = data.prepare(described, cache=folder, base=Path.cwd())
    for name, frame in dataset.splits.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


# Our side


def our_preparation(rows: Path, encoder: Path, cache: Path) -> Prepared:
    """What a sweep does once before its first trial, on the rows that `cut_rows` wrote."""
    from bertsweep.spec import parse
    from bertsweep.sweep.prepare import prepare

    files = {name: str(rows / f"{name}.csv") for name in ("train", "validation", "test")}
    document = {
        "name": "benchmark",
        "data": {"source": files},
        "encoder": {"source": str(encoder)},
        "space": {"learning_rate": 2e-5},
    }
    spec = parse(json.dumps(document), source="benchmark.yaml")
    return prepare(spec, cache=cache, base=rows, progress=None, notify=lambda _: None)


def our_job(
    prepared: Prepared, folder: Path, *, threads: int, precision: str | None = None
) -> TrialJob:
    """One evaluation an epoch, as `model.fit` has, in `precision` (None: float32)."""
    from bertsweep.trial.job import TrialJob

    plain = {
        "folder": str(folder),
        "tokens": str(prepared.tokens),
        "encoder": str(prepared.encoder.folder),
        "labels": prepared.dataset.labels,
        "text_columns": 1,
        "metric": "val_average_precision",
        "mode": "max",
        "report_every": 1.0,
        "cpus": threads,
        "gpus": 0,
    }
    chooses = "precision" in {field.name for field in fields(TrialJob)}
    if precision is not None and not chooses:
        raise SystemExit(f"this bertsweep has no choice of precision: leave {precision} out.")
    return TrialJob.from_plain(plain | ({"precision": precision or "float32"} if chooses else {}))


def our_turns(
    channel: Channel,
    job: Mapping[str, Any],
    *,
    steps: int,
    batch_size: int,
    head: Path | None = None,
) -> None:
    """Trains `steps` steps whenever it is our turn, the tutorial's parameters on all rows.

    Leaves the head it begins with, float32 [hidden, 1], in the file `head`.
    """
    import numpy as np

    from bertsweep.spec.hyperparameters import Hyperparameters
    from bertsweep.trial.job import TrialJob
    from bertsweep.trial.workbench import Workbench, set_up_devices

    ours = TrialJob.from_plain(job)
    set_up_devices(cpus=ours.cpus, gpus=ours.gpus)
    trainer = Workbench(ours).trainer
    endless = 10_000
    trainer.begin(Hyperparameters(batch_size=batch_size, epochs=endless), seed=SEED)
    if head is not None:
        np.save(head, trainer.classifier.weights["head/kernel"].numpy())
    channel.send({"ready": True})
    while channel.receive() is not None:
        begun = time.perf_counter()
        training = trainer.train(trainer.step + steps)
        seconds = time.perf_counter() - begun
        channel.send({"examples": training.examples, "seconds": seconds, "loss": training.loss})


# Sides that take turns


class Channel:
    """A side's end: a JSON line on stdin is its turn, a JSON line on stdout its answer.

    Whatever else writes to stdout goes to stderr from here on.
    """

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def receive(self) -> dict[str, Any] | None:
        """What the program says next; None when it wants no more turns."""
        line = sys.stdin.readline()
        return json.loads(line) if line else None

    def send(self, message: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()


class Side:
    """The program's end of a `Channel`: one process, given its turns."""

    def __init__(self, command: Sequence[str], **environment: str) -> None:
        # Open as long as the side lives: `close` closes it.
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=REPOSITORY,
            # oneDNN for both sides, as a sweep's actors have it: a default on some processors only.
            env={
                **os.environ,
                "TF_CPP_MIN_LOG_LEVEL": "2",
                "TF_ENABLE_ONEDNN_OPTS": "1",
                **environment,
            },
        )

    def turn(self) -> dict[str, Any]:
        """Gives it its turn and waits for the answer."""
        assert self._process.stdin
        self._process.stdin.write("{}\n")
        self._process.stdin.flush()
        return self.receive()

    def receive(self) -> dict[str, Any]:
        """Its next message; ends the program with the side's last words when it has died."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            raise SystemExit("a side ended too soon. Its last words:\n" + self._log.read()[-3000:])
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Ends it by closing its stdin, or at last by its process id."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()


@contextmanager
def started(commands: Mapping[str, Sequence[str]], **environment: str) -> Iterator[dict[str, Side]]:
    """All sides, one after the other, each ready before the next starts."""
    sides: dict[str, Side] = {}
    try:
        for name, command in commands.items():
            sides[name] = Side(command, **environment)
            sides[name].receive()
            say(f"{name}: ready")
        yield sides
    finally:
        for side in sides.values():
            side.close()


def alternate(sides: Mapping[str, Side], *, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Every side's answers, a turn each a round; a first round of warm-up is left out."""
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            answer = side.turn()
            rate = answer["examples"] / answer["seconds"]
            say(f"round {number or 'of warm-up'}: {name}: {rate:.1f} examples/s")
            if number:
                answers[name].append(answer)
    return answers


def rates(answers: Sequence[Mapping[str, Any]]) -> list[float]:
    """Examples a second of each turn."""
    return [answer["examples"] / answer["seconds"] for answer in answers]


# What is written


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median and, in brackets, the least and the greatest."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, the first column to the left and the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """CPU, cores, memory, load and date, in one line."""
    cpu, flags = platform.processor() or platform.machine(), set[str]()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            cpu = value.strip() if key.strip() == "model name" else cpu
            flags = set(value.split()) if key.strip() == "flags" else flags
    has = [flag for flag in _FLAGS if flag in flags]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{time.strftime('%Y-%m-%d')}, {cpu} ({', '.join(has) or 'no vector flags known'}), "
        f"{cores()} cores, {memory:.0f} GiB, load before {_load_before:.1f}"
    )


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions(*packages: str) -> str:
    """Name and version of each package of this environment."""
    from importlib.metadata import version

    return ", ".join(f"{package} {version(package)}" for package in packages)


def say(line: str) -> None:
    """Progress, on stderr: stdout is for the table."""
    print(line, file=sys.stderr, flush=True)


_load_before = os.getloadavg()[0]
