"""A whole sweep against the naive one and against KerasTuner: how good, how soon.

    python -m pip install --no-deps --target KT keras-tuner kt-legacy
    python -m benchmarks.sweep --kerastuner KT

`bertsweep`: the real `bertsweep run`, its defaults but for an evaluation every epoch, at the first
of which a trial may be stopped, as on the other sides. `naive`: Ray's own
`OptunaSearch` and `ASHAScheduler` (by epoch, factor 3) around a function trainable that does the
tutorial's recipe, see `_naive.py`; the searched sequence length is what it pads to. `kerastuner`:
its Hyperband (factor 3, as many iterations as come nearest to the trials) around our training, see
`_hyperband.py`, so that only the orchestration differs; it evaluates every epoch, as it is made to.

Every side searches the same space, tries the same baseline first, and has the same rows, encoder,
seed and batches of 32. Sides run one after the other, in the order in which `--sides` names them,
and each has the whole machine. Seconds count from the start of a side's process. Ours and
KerasTuner's hold the preparation, from an empty cache; the naive side's hub module is made
beforehand, outside its time.

The naive side trains so slowly that it needs an end: it starts nothing and trains nothing after
`--naive-seconds`. For a first look take `--rows 400 --validation 200 --trials 3 --epochs 1`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import _conducted, _curves, _inputs, _ours, _reading, _tables
from benchmarks._sides import Channel, Side

OURS, NAIVE, KERASTUNER = SIDES = ("bertsweep", "naive", "kerastuner")
BATCH = 32
SPACE = {
    "learning_rate": {"low": 5e-6, "high": 1e-4, "log": True},
    "dropout": {"low": 0.0, "high": 0.6},
    "max_seq_length": [32, 64, 128],
}
BASELINE = {"learning_rate": 2e-5, "dropout": 0.5, "max_seq_length": 128}

KT = "KERASTUNER"
REMEDY = (
    "`python -m pip install --no-deps --target FOLDER keras-tuner kt-legacy` installs it, and "
    f"--kerastuner FOLDER or {KT} says where."
)


def run_side(side: str, config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """One search to its end: begun, seconds, and its reports with seconds since it began."""
    _tables.say(f"seed {config['seed']}: {side}")
    if side == OURS:
        found = _conducted.run(config, folder)
    else:
        journal = _curves.Journal(folder / "reports.jsonl")
        config = {**config, "folder": str(folder), "journal": str(journal.path)}
        begun = time.time()
        process = Side(
            [sys.executable, "-m", "benchmarks.sweep", "--side", side, json.dumps(config)]
        )
        try:
            if failed := process.receive().get("failed"):
                _tables.say(f"{side}: {failed} of its trials failed")
            found = {"begun": begun, "seconds": time.time() - begun, "reports": journal.read()}
        finally:
            process.close()
    if not found["reports"]:
        raise SystemExit(f"{side} ended without a report: give it more time or fewer rows.")
    for report in found["reports"]:
        report["seconds"] = report.pop("time") - found["begun"]
    best = max(report["value"] for report in found["reports"])
    _tables.say(f"seed {config['seed']}: {side}: {found['seconds']:.0f} s, best {best:.4f}")
    return found


def serve(side: str, config: Mapping[str, Any]) -> None:
    """What the process of a side other than ours does."""
    if side == NAIVE:
        from benchmarks import _naive

        _naive.serve(Channel(), config)
    else:
        from benchmarks import _hyperband

        _hyperband.serve(Channel(), config)


def main() -> None:
    options = _options()
    sides = options.sides or [s for s in SIDES if s != KERASTUNER or options.kerastuner]
    if KERASTUNER in sides:
        package = Path(options.kerastuner or "") / "keras_tuner"
        if options.kerastuner is None or not package.is_dir():
            _inputs.absent(f"KerasTuner: absent from {options.kerastuner or 'here'}", REMEDY)
    elif options.sides is None:
        _tables.say(f"KerasTuner: absent, its side is left out. {REMEDY}")
    found = _inputs.inputs(options)
    precision = _ours.chosen(options.precision)
    config = {
        "encoder": str(found.encoder),
        "kerastuner": str(options.kerastuner and options.kerastuner.resolve()),
        "space": SPACE,
        "baseline": BASELINE,
        "batch_size": BATCH,
        "threads": _tables.cores(),
        "settings": [*(f"{k}={v}" for k, v in precision.items()), *options.settings],
        **{
            name: getattr(options, name)
            for name in ("trials", "epochs", "report_every", "precision", "naive_seconds")
        },
    }
    if NAIVE in sides:
        from benchmarks import _tutorial

        config["module"] = str(_tutorial.hub_module(found.encoder, _inputs.work_folder(options)))
    repeats = []
    with tempfile.TemporaryDirectory() as folder:
        rows = _inputs.cut_rows(
            found.questions, Path(folder), train=options.rows, validation=options.validation
        )
        for number in range(options.repeats):
            seeded = {**config, "rows": str(rows), "seed": _inputs.SEED + number}
            searches = {}
            for side in sides:
                # Checkpoints of a whole search take gigabytes: gone before the next one begins.
                with tempfile.TemporaryDirectory(dir=folder) as fresh:
                    searches[side] = run_side(side, seeded, Path(fresh))
            repeats.append(searches)
    print(
        f"\n## A whole sweep: {options.trials} trials of up to {options.epochs} epochs, "
        f"{options.rows:,} rows\n"
    )
    print(_reading.written(repeats, ours=OURS))
    machine = f"{_tables.machine()}; {_tables.versions('tensorflow', 'ray', 'optuna')}."
    print(f"\nOne after the other: {', '.join(sides)}. {machine}")
    if options.json is not None:
        record = {"machine": machine, "options": config, "repeats": repeats}
        options.json.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _inputs.add_options(parser)
    parser.add_argument("--sides", nargs="+", choices=SIDES, help="default: all that are present")
    parser.add_argument("--rows", type=int, default=4000, help="training rows")
    parser.add_argument("--validation", type=int, default=2000, help="validation rows")
    parser.add_argument("--trials", type=int, default=16, help="configurations a side")
    parser.add_argument("--epochs", type=int, default=3, help="passes over the rows, at most")
    parser.add_argument("--report-every", type=float, default=1.0, help="ours: share of an epoch")
    parser.add_argument("--precision", help="of our training, in ours and KerasTuner's side")
    parser.add_argument("--repeats", type=int, default=1, help="of every side, each with its seed")
    parser.add_argument("--naive-seconds", type=float, default=3600, help="of the naive side")
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], help="handed to `bertsweep run`"
    )
    parser.add_argument(
        "--kerastuner",
        type=Path,
        default=os.environ.get(KT),
        help=f"folder that KerasTuner is installed in; else ${KT}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes every report there")
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        serve(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main()
