"""A sweep that goes on: its ledger opened, its data and encoder as they were when it began."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertsweep.ledger import Ledger, Subscriber, SweepState
from bertsweep.ledger.events import SweepResumed
from bertsweep.paths import SweepPaths, cache_root, find_sweep
from bertsweep.progress import Progress
from bertsweep.spec import SweepSpec, from_plain
from bertsweep.sweep import cluster
from bertsweep.sweep.begun import as_begun, check_same
from bertsweep.sweep.experiment import Experiment, job_of
from bertsweep.sweep.materials import Materials, Prepared, load_materials, tokenise
from bertsweep.sweep.placement import Placement
from bertsweep.sweep.share import check_counted
from bertsweep.sweep.signals import stop_on_signals
from bertsweep.sweep.subscribers import following

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Reopened:
    """A sweep whose ledger is open, with its data and encoder as they were when it began."""

    paths: SweepPaths
    ledger: Ledger
    spec: SweepSpec
    materials: Materials
    address: str | None
    progress: Progress | None
    notify: Notify

    @contextlib.contextmanager
    def experiment(self, bounds: Mapping[str, float] | None = None) -> Iterator[Experiment]:
        """Goes on, with new `bounds` of its budget by unit; the ledger is closed at the end."""
        spec, ledger, state = self.spec, self.ledger, self.ledger.state
        with cluster.started(address_of(spec, self.address)):
            placement, prepared = get_ready(
                spec,
                self.paths,
                self.materials,
                state=state,
                progress=self.progress,
            )
            with (
                stop_on_signals(self.notify) as stopping,
                following(spec, self.paths, ledger, state.started, notify=self.notify),
            ):
                ledger.append(SweepResumed(bounds=bounds or None))
                yield Experiment(
                    spec=spec,
                    paths=self.paths,
                    ledger=ledger,
                    prepared=prepared,
                    placement=placement,
                    stopping=stopping,
                )


@contextlib.contextmanager
def reopened(
    folder: Path,
    *,
    address: str | None,
    subscribers: Sequence[Subscriber],
    progress: Progress | None,
    notify: Notify,
) -> Iterator[Reopened]:
    paths = find_sweep(str(folder), folder.parent)
    with contextlib.closing(Ledger(paths.ledger, subscribers=subscribers)) as ledger:
        state = ledger.state
        if ledger.torn:
            notify("the last line of the ledger was cut off by a crash and is left out")
        spec = as_begun(from_plain(dict(state.started.spec)), state.started)
        materials = load_materials(
            spec,
            cache=cache_root(),
            base=Path(state.started.base),
            progress=progress,
            notify=notify,
        )
        facts = materials.facts()
        for what in ("data", "encoder"):
            check_same(state, what, facts[what])
        yield Reopened(paths, ledger, spec, materials, address, progress, notify)


def get_ready(
    spec: SweepSpec,
    paths: SweepPaths,
    materials: Materials,
    *,
    progress: Progress | None,
    state: SweepState | None = None,
) -> tuple[Placement, Prepared]:
    """Places for trials, whose workers get warm while this process tokenises."""
    placement = Placement(cluster.share(spec.resources))
    check_counted(spec.bounds if state is None else state.bounds, placement.share)
    job = job_of(spec, paths, materials, placement.share, state=state, tokens=None)
    placement.start(job, spec.baseline.to_point(), trials=_left(spec, state))
    return placement, tokenise(materials, cache=cache_root(), progress=progress)


def _left(spec: SweepSpec, state: SweepState | None) -> int | None:
    """How many trials the search may still start, None where their number bounds nothing."""
    if state is None:
        return spec.bounds.trials
    # Where none is left, workers are started for a confirmation.
    ended = sum(trial.ended and not trial.retryable for trial in state.trials.values())
    return None if state.bounds.trials is None else max(0, state.bounds.trials - ended) or None


def address_of(spec: SweepSpec, address: str | None) -> str | None:
    return address or spec.resources.address
