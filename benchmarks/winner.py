"""The end of a sweep on real questions: verdict, test scores and exports, and what each part cost.

    python -m benchmarks.winner [--task quora|trec6] [--work FOLDER] [--trials 12] [--seeds 3]

Runs the shipped search space with MiniLM (two epochs, an evaluation after each, float32, the three
best raced against the baseline), the test split and an export in every format. Then
`bertsweep reproduce`: once as it is, and once with one row of the training file changed, which it
must refuse. A sweep that `--work` holds already is gone on with, or only told about.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _inputs, _tables

FORMATS = ("savedmodel", "keras", "huggingface", "onnx")
COMMON = (
    "space.epochs=2",
    "baseline.epochs=2",
    "report_every=1",
    "search.scheduler={kind: asha, grace_epochs: 1}",
    "precision=float32",
)
TASKS = {
    "quora": ("data.split.train=6000", "data.split.validation=4000", "data.split.test=4000"),
    "trec6": (),
}
REFUSED = 2
"""The exit code of a command whose input is wrong."""


def main() -> None:
    options = _options()
    encoder = _inputs.inputs(options).encoder
    work = _inputs.work_folder(options) / "winner" / options.task
    work.mkdir(parents=True, exist_ok=True)
    train, source = _data(options.task, work)
    sweep = work / options.task
    if (sweep / "export").exists():
        _tables.say(f"{sweep} is whole: it is told about and not run again")
    elif sweep.exists():
        bertsweep(work, "resume", str(sweep))
    else:
        settings = [
            *TASKS[options.task],
            *COMMON,
            source,
            f"encoder.source={encoder}",
            f"budget.trials={options.trials}",
            f"confirm.seeds={options.seeds}",
            f"export=[{', '.join(FORMATS)}]",
        ]
        made = [part for setting in settings for part in ("--set", setting)]
        file = _inputs.REPOSITORY / "search_spaces" / f"{options.task}.yaml"
        bertsweep(work, "run", str(file), "--storage", str(work), *made)
    print(_tables.machine(), end="\n\n")
    print(cost(sweep), end="\n\n")
    print(told(work, sweep), end="\n\n")
    print(exported(sweep), end="\n\n")
    print(reproduced(work, sweep, train))


def bertsweep(work: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, in a cache of its own; its words go to stderr as they come."""
    _tables.say(f"bertsweep {' '.join(arguments)}")
    done = subprocess.run(
        [sys.executable, "-m", "bertsweep", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if code else None,
        text=True,
        # Ray's actors start elsewhere, and would import an installed bertsweep.
        env={
            **os.environ,
            "BERTSWEEP_CACHE": str(work / "cache"),
            "PYTHONPATH": str(_inputs.REPOSITORY),
        },
        check=False,
    )
    if done.returncode != code:
        raise SystemExit(f"bertsweep {arguments[0]} ended with {done.returncode}, not {code}.")
    return done


def cost(sweep: Path) -> str:
    """Wall-clock and training seconds of search, confirmation, test and export."""
    from bertsweep import ledger
    from bertsweep.ledger.events import (
        ConfirmationEnded,
        ConfirmationStarted,
        TestOpened,
        TestScored,
    )
    from bertsweep.results import Sweep

    events = ledger.read(sweep / "ledger.jsonl")
    times = {type(event): event.time for event in events}
    begun, state = events[0].time, Sweep.open(sweep).state
    exported = (sweep / "export" / "metrics.json").stat().st_mtime
    parts = {
        "search": (times[ConfirmationStarted] - begun, _work(state.trials.values())),
        "confirmation": (
            times[ConfirmationEnded] - times[ConfirmationStarted],
            _work(state.repeats.values()),
        ),
        "test": (times[TestScored] - times[TestOpened], None),
        "export": (exported - times[TestScored], None),
    }
    whole = sum(wall for wall, _ in parts.values())
    rows = [
        [
            part,
            f"{wall:.0f}",
            f"{wall / whole:.1%}",
            *(["-", "-"] if done is None else [f"{done[0]:.0f}", f"{done[1]:g}"]),
        ]
        for part, (wall, done) in parts.items()
    ]
    return _tables.table(["part", "seconds", "share", "training seconds", "epochs"], rows)


def _work(trials: Iterable[Any]) -> tuple[float, float]:
    every = list(trials)
    return (
        sum(trial.seconds for trial in every),
        sum(trial.reports[-1]["epoch"] for trial in every if trial.reports),
    )


def told(work: Path, sweep: Path) -> str:
    """What `bertsweep best` says of the choice, the confirmation and the test split."""
    best = json.loads(bertsweep(work, "best", str(sweep), "--json").stdout)
    found = best["confirmation"]
    finalists = [*found["finalists"], *filter(None, [found["baseline"]])]
    rows = [
        [
            one["trial"] + (" (baseline)" if one is found["baseline"] else ""),
            f"{one['mean']:.4f}",
            f"{one['low']:.4f} to {one['high']:.4f}",
            f"{one['seeds']}",
        ]
        for one in finalists
    ]
    metric, test = best["test"]["metric"], best["test"]
    span = test["intervals"][metric]
    lines = [
        _tables.table(["confirmed", "mean", "95 % interval", "seeds"], rows),
        "",
        (
            f"- best of {found['trials']}: {best['selection']['best_score']:.4f}; corrected for "
            f"the choice: {best['selection']['corrected_score']:.4f}; noise floor "
            f"{found['noise_floor']:.4f}"
        ),
        f"- {found['reason']} Delivered: {found['repeat']}.",
        f"- {found['verdict']['text']}",
        (
            f"- test: {metric} {test['metrics'][metric]:.4f} ({span['low']:.4f} to "
            f"{span['high']:.4f}) on {test['rows']:,} rows, read {test['opened']} time(s)"
        ),
    ]
    if test["against_baseline"] is not None:
        lines.append(f"- {test['against_baseline']['verdict']}")
    return "\n".join(lines)


def exported(sweep: Path) -> str:
    """How far the answers of each export lie from the checkpoint's."""
    facts = json.loads((sweep / "export" / "metrics.json").read_text(encoding="utf-8"))
    rows = [
        [
            name,
            f"{check['max_difference']:.1e}",
            f"{check['tolerance']:g}",
            f"{check['rows']:,}",
            check["checked_with"],
        ]
        for name, check in facts["exports"].items()
    ]
    return _tables.table(["export", "largest difference", "allowed", "rows", "loaded by"], rows)


def reproduced(work: Path, sweep: Path, train: Path) -> str:
    """What `reproduce` says of the sweep as it is, and with one row of its data changed."""
    same = json.loads(bertsweep(work, "reproduce", str(sweep), "--json").stdout)
    before, text = train.read_bytes(), _training_text(work, sweep)
    train.write_bytes(before.replace(text, b"Another " + text, 1))
    try:
        refused = bertsweep(work, "reproduce", str(sweep), "--json", code=REFUSED).stderr
    finally:
        train.write_bytes(before)
    return f"- reproduce: {same['outcome']}: {same['reason']}\n- one row changed: {refused.strip()}"


def _training_text(work: Path, sweep: Path) -> bytes:
    """A text that the sweep was trained on, as it stands in the file."""
    from bertsweep import data
    from bertsweep.results import Sweep
    from bertsweep.spec import from_plain

    spec = from_plain(dict(Sweep.open(sweep).state.started.spec))
    dataset = data.prepare(spec.data, cache=work / "cache", base=work)
    texts = map(str, dataset.splits["train"]["text"])
    return next(text for text in texts if not set(text) & set('",\n')).encode()


def _data(task: str, work: Path) -> tuple[Path, str]:
    """A copy of the task's training file, and the setting that names the task's files."""
    shared = _inputs.REAL / task
    if not shared.is_dir():
        _inputs.absent(f"the rows of {task}: absent, there is no {shared}", "Nothing to measure.")
    for file in shared.glob("*.csv"):
        if not (work / file.name).exists():
            shutil.copyfile(file, work / file.name)
    train = work / "train.csv"
    if task == "quora":
        return train, f"data.source={train}"
    return train, f"data.source={{train: '{train}', test: '{work / 'test.csv'}'}}"


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _inputs.add_options(parser)
    parser.add_argument("--task", choices=TASKS, default="quora")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3, help="fresh seeds of each finalist")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
