"""What `run` and `resume` share: the words before a sweep and the tables after it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bertsweep.cli import _documents
from bertsweep.cli._confirmed import choice, confirmed_table, verdict
from bertsweep.cli._output import parameters, print_json, warn
from bertsweep.cli._scores import reading
from bertsweep.cli._summary import encoder_lines, positive_class, ranked_by
from bertsweep.cli._tables import comparison, decision, front_table, trials_table
from bertsweep.conclusion import EXPORT
from bertsweep.paths import SweepPaths, storage_root

if TYPE_CHECKING:
    from rich.console import Console

    from bertsweep.results import Sweep
    from bertsweep.spec import SweepSpec

_SHOWN_TRIALS = 5


def describe(spec: SweepSpec, *, name: str | None = None) -> list[str]:
    """What will run, one line each: trials, space, data, encoder, resources.

    `name` is that of the sweep where it is not to be called as the file says.
    """
    data, search, resources = spec.data, spec.search, spec.resources
    files = {split: ", ".join(sources) for split, sources in data.files().items()}
    source = parameters(files) if len(files) > 1 else files["train"]
    searched = ", ".join(parameter.name for parameter in spec.space.searched)
    how = f"sampler {search.sampler.kind}, scheduler {search.scheduler.kind}"
    labels = [file for part in data.label_files().values() for file in part] or [str(data.label)]
    columns = f"text {' + '.join(map(str, data.text))}, label {', '.join(labels)}"
    split = parameters(data.split.model_dump(exclude={"random_state"}))
    return [
        f"sweep {name or spec.name}: {spec.bounds.told()}, {how}",
        ranked_by(spec),
        f"searched: {searched or 'nothing, every parameter is fixed'}",
        f"data: {source}; {columns}; {split}",
        positive_class(spec),
        *encoder_lines(spec),
        f"resources: {parameters(resources.model_dump(exclude_none=True))}",
    ]


def conclude(sweep: Sweep, out: Console, *, as_json: bool) -> None:
    """Prints what the sweep came to. Raises `NoUsableTrialError` when that is nothing."""
    document = _documents.outcome(sweep, notify=warn)
    paths, state = sweep.paths, sweep.state
    if as_json:
        print_json(document)
        return
    ranked = sweep.ranking()
    out.print(f"\nused: {state.bounds.used(sweep.spent)}")
    out.print(f"the best {min(len(ranked), _SHOWN_TRIALS)} of {len(state.trials)} trials")
    out.print(trials_table(state, ranked[:_SHOWN_TRIALS]))
    out.print("the winner against the baseline")
    out.print(comparison(document["best"]))
    for line in decision(document["best"]):
        out.print(line)
    fronted(document["best"]["front"], out)
    sureness(document["best"], out)
    for line in places(paths, document["best"]["checkpoint"]):
        out.print(line, soft_wrap=True)
    out.print("next:")
    for command in next_commands(sweep):
        out.print(f"  {command}", soft_wrap=True)


def fronted(document: Mapping[str, Any] | None, out: Console) -> None:
    """Prints the Pareto front and which trial of it is picked; nothing with one objective."""
    if document is None:
        return
    out.print(front_table(document))
    out.print(document["reason"], soft_wrap=True)


def sureness(document: Mapping[str, Any], out: Console) -> None:
    """Prints how sure the winner in a document of `best` is: the choice, its confirmation, the test
    split.
    """
    if document["front"] is not None and document["selection"] is not None:
        out.print(f"by {document['objective']['metric']} alone:")
    for line in choice(document["selection"]):
        out.print(line, soft_wrap=True)
    if document["confirmation"] is not None:
        out.print(confirmed_table(document["confirmation"]))
        for line in verdict(document["confirmation"]):
            out.print(line, soft_wrap=True)
    for line in reading(document["test"]):
        out.print(line, soft_wrap=True)


def places(paths: SweepPaths, checkpoint: str) -> list[str]:
    """Where the things that a sweep left are."""
    lines = [f"checkpoint: {checkpoint}", f"everything: {paths.folder}"]
    if (paths.folder / EXPORT).is_dir():
        lines.append(f"export:     {paths.folder / EXPORT}")
    if paths.study.is_file():
        lines.append(f"study:      {paths.study}; `bertsweep dashboard {handle(paths)}` shows it")
    runs = paths.wandb / "wandb"
    if any(runs.glob("offline-run-*")):
        lines.append(f"W&B:        offline runs in {runs}; `wandb sync` sends them")
    return lines


def next_commands(sweep: Sweep) -> list[str]:
    """The commands to type after a sweep, as they work from here."""
    name = shlex.quote(handle(sweep.paths))
    commands = [f"bertsweep best {name}"]
    if sweep.confirmation is None:
        commands.append(f"bertsweep confirm {name}  # fresh seeds: better, or lucky?")
    if not sweep.state.tests:
        commands.append(f"bertsweep evaluate {name}  # the test split, once")
    if not (sweep.folder / EXPORT).exists():
        commands.append(f"bertsweep export {name} --to FOLDER")
    return [*commands, f'bertsweep predict {name} "a text to label"']


def handle(paths: SweepPaths) -> str:
    """What to call a sweep on the command line: its name where that is enough, else its folder."""
    known = paths.folder.parent == storage_root()
    return paths.folder.name if known else str(paths.folder)
