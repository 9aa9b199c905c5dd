"""Plays searches on learning curves that others measured: bertsweep's own and those of its peers.

Every search gets the same tasks, seeds, first configuration and reports, 12 a training, as a sweep
of 3 epochs makes. Read is the best value when 4, 8 and 16 full trainings are spent, as normalised
regret: 0 is the best configuration known of a task, 1 the median one. Each play is a line of the
results file; what is there already is not played again, so that plays may be made in parts. Peers
in another environment are played by running this program with its Python, into the same file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._inputs import REPOSITORY, absent, work_folder
from benchmarks._peers import PEERS, PLANNED, Setting, build, drawn
from benchmarks._played import play
from benchmarks._recorded import Surrogate, Table, Task, own, tasks, taskset
from benchmarks._tables import machine, say, table

CURVES = REPOSITORY.parent / "shared" / "curves"
BUDGETS = (4, 8, 16)
REPORTS = 12
SCENARIOS = ("good", "misplaced", "none")
WORKERS = (1, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--methods",
        nargs="+",
        default=["bertsweep"],
        metavar="NAME",
        help=f"bertsweep, {', '.join(PEERS)}",
    )
    parser.add_argument(
        "--settings", type=json.loads, default={}, help="bertsweep: JSON of `search`"
    )
    parser.add_argument("--label", help="name of bertsweep with these settings")
    parser.add_argument("--tables", nargs="+", default=["lcbench", "imdb"], metavar="NAME|NPZ")
    parser.add_argument("--curves", type=Path, default=CURVES, help="folder of recorded curves")
    parser.add_argument("--scenarios", nargs="+", default=SCENARIOS, choices=SCENARIOS)
    parser.add_argument("--workers", nargs="+", type=int, default=WORKERS)
    parser.add_argument("--seeds", type=int, default=2, help="plays of each task")
    parser.add_argument("--every", type=int, default=1, help="of LCBench: every Nth task alone")
    parser.add_argument("--reports", type=int, default=REPORTS, help="of a full training")
    parser.add_argument("--results", type=Path, help="JSON lines; else search.jsonl in --work")
    parser.add_argument("--work", type=Path, help="keeps what is computed once; else in the cache")
    parser.add_argument("--show", action="store_true", help="only the tables of what was played")
    options = parser.parse_args()
    work = work_folder(options)
    results = Results(options.results or work / "search.jsonl")
    if not options.show:
        for found in loaded(options, work):
            run(found, options, results)
    print(report(results.rows, options))


def loaded(options: argparse.Namespace, work: Path) -> list[Table]:
    """The named tables; ends the program where one is absent."""
    found: list[Table] = []
    for name in options.tables:
        path = options.curves if name in ("lcbench", "imdb") else Path(name)
        if not path.exists():
            absent(f"the curves: absent, there is no {path}", "Give --curves FOLDER.")
        if name == "lcbench":
            found.append(Surrogate(path, work))
        elif name == "imdb":
            found.append(taskset(path / "taskset_imdb.npz"))
        else:
            found.append(own(path))
    return found


class Results:
    """The plays so far, a JSON line each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self._known = {_key(row) for row in self.rows}

    def __contains__(self, row: Mapping[str, Any]) -> bool:
        return _key(row) in self._known

    def add(self, row: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.rows.append(row)
        self._known.add(_key(row))


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("method", "table", "task", "seed", "scenario", "workers", "reports")
    return tuple(row[name] for name in names)


def run(found: Table, options: argparse.Namespace, results: Results) -> None:
    """Plays what is missing, seed by seed, so that one that is cut off has all methods alike."""
    every = tasks(found, options.reports)[:: options.every if found.name == "lcbench" else 1]
    for seed in range(options.seeds):
        for scenario in options.scenarios:
            for workers in options.workers:
                for method in options.methods:
                    for task in every:
                        played(task, method, scenario, workers, seed, options, results)
                    say(f"{found.name}, seed {seed}, {scenario}, {workers} at once: {method}")


def played(
    task: Task,
    method: str,
    scenario: str,
    workers: int,
    seed: int,
    options: argparse.Namespace,
    results: Results,
) -> None:
    label = options.label or method if method == "bertsweep" else method
    row: dict[str, Any] = {"method": label, "table": task.table.name, "task": task.name}
    row |= {"seed": seed, "scenario": scenario, "workers": workers, "reports": task.reports}
    if row in results:
        return
    random = np.random.default_rng([seed, task.number])
    start = task.starts.get(scenario) or drawn(task, random)
    regrets, trials, begun = {}, {}, time.perf_counter()
    for budgets in [(b,) for b in BUDGETS] if method in PLANNED else [BUDGETS]:
        setting = Setting(
            seed=int(random.integers(2**31)),
            start=start,
            trusted=scenario != "none",
            workers=workers,
            budget=max(budgets),
            settings=options.settings,
        )
        outcome = play(build(method, task, setting), task, workers=workers, budgets=budgets)
        regrets |= {str(b): round(task.regret(v), 5) for b, v in outcome.best.items()}
        trials |= {str(max(budgets)): [outcome.trials, outcome.finished]}
    row |= {"regret": regrets, "trials": trials, "seconds": round(time.perf_counter() - begun, 3)}
    results.add(row)


# The tables


def report(rows: Sequence[Mapping[str, Any]], options: argparse.Namespace) -> str:
    """Mean regret and standard error over tasks and seeds at each budget, by table and workers."""
    parts = []
    for name in dict.fromkeys(row["table"] for row in rows):
        for workers in options.workers:
            chosen = [
                row
                for row in rows
                if (row["table"], row["workers"], row["reports"])
                == (name, workers, options.reports)
            ]
            if chosen:
                parts.append(f"\n## {name}, {workers} at once\n\n{_regrets(chosen)}")
    return "\n".join([*parts, f"\n{machine()}."])


def _regrets(rows: Iterable[Mapping[str, Any]]) -> str:
    cells: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        cells[row["method"], row["scenario"]].append(row)
    body = []
    for method in dict.fromkeys(method for method, _ in cells):
        line, every = [method], list[Mapping[str, Any]]()
        for scenario in SCENARIOS:
            found = cells.get((method, scenario), [])
            line.append(" / ".join(_mean([r["regret"][str(b)] for r in found]) for b in BUDGETS))
            every += found
        seconds = statistics.median(row["seconds"] for row in every)
        counts = [len(cells.get((method, scenario), [])) for scenario in SCENARIOS]
        told = str(counts[0]) if len(set(counts)) == 1 else "/".join(map(str, counts))
        body.append([*line, f"{seconds:.2f}", told])
    return table(["", *SCENARIOS, "seconds", "plays"], body)


def _mean(values: Sequence[float]) -> str:
    if len(values) < 2:
        return "-"
    error = statistics.stdev(values) / len(values) ** 0.5
    return f"{statistics.fmean(values):.3f}±{error:.3f}".replace("0.", ".")


if __name__ == "__main__":
    sys.exit(main())
