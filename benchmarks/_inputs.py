"""What both sides of a comparison get: real questions, an encoder, a seed; or why there is none.

Like `_sides` and `_tables`, this needs the standard library alone to be imported: the other side of
a comparison may live in an environment without bertsweep's dependencies.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

REPOSITORY = Path(__file__).resolve().parent.parent
REAL = REPOSITORY.parent / "shared" / "real"

SEED = 42
TEST_ROWS = 200
"""Neither side looks at them, but a sweep's data has a test split."""

ABSENT = 3
"""Exit code of a program that lacks its inputs, by which `python -m benchmarks` leaves it out."""


def absent(what: str, remedy: str) -> NoReturn:
    """Ends the program, saying what it lacks."""
    print(f"{what}. {remedy}", file=sys.stderr)
    raise SystemExit(ABSENT)


@dataclass(frozen=True)
class Inputs:
    """The real questions (a CSV with `question_text` and `target`) and a BERT encoder's folder."""

    questions: Path
    encoder: Path


def add_options(parser: argparse.ArgumentParser) -> None:
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
            absent(f"the encoder: absent, {_told(script)} failed", "Give --encoder FOLDER.")
    return Inputs(questions, folder)


def work_folder(options: argparse.Namespace) -> Path:
    """Where MiniLM and its hub module are kept from run to run."""
    from bertsweep.paths import cache_root

    folder: Path = options.work or cache_root() / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _need(path: Path, what: str, option: str) -> None:
    if not path.exists():
        absent(f"{what}: absent, there is no {_told(path)}", f"Give {option}.")


def _told(path: Path) -> str:
    beside = path.resolve().is_relative_to(REPOSITORY.parent)
    return os.path.relpath(path, REPOSITORY) if beside else str(path)


def cut_rows(questions: Path, folder: Path, *, train: int, validation: int) -> Path:
    """A folder with train.csv, validation.csv and test.csv (`text`, `label`) for both sides."""
    from bertsweep import data
    from bertsweep.spec.data_models import Data, Split

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
