"""Puts the Tuner together around a conductor."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bertsweep.costs import COSTS, PREDICTION
from bertsweep.ledger import Ledger, SweepState
from bertsweep.paths import SweepPaths
from bertsweep.search.stopping import build_rule, stops_nothing
from bertsweep.search.study import Study
from bertsweep.space import Point
from bertsweep.spec import SweepSpec
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.spec.search_checks import largest
from bertsweep.sweep import tune_hooks
from bertsweep.sweep.conductor import SweepConductor
from bertsweep.sweep.materials import Materials, Prepared
from bertsweep.sweep.placement import Placement
from bertsweep.sweep.retention import Retention
from bertsweep.sweep.share import Share
from bertsweep.training.batches import steps_per_epoch
from bertsweep.trial.job import EncoderFolders, TrialJob
from bertsweep.trial.trainable import BertTrial

_LOST_ACTORS = 3
"""How often a trial goes on after its actor or node was lost."""


@dataclass(frozen=True)
class Experiment:
    """A sweep that is ready to be conducted; `trainable` takes a trial's config and reports."""

    spec: SweepSpec
    paths: SweepPaths
    ledger: Ledger
    prepared: Prepared
    placement: Placement
    stopping: threading.Event
    trainable: type[Any] = BertTrial

    @cached_property
    def job(self) -> TrialJob:
        state, tokens = self.ledger.state, self.prepared.token_folders
        return job_of(
            *(self.spec, self.paths, self.prepared, self.placement.share),
            state=state,
            tokens=tokens,
        )

    @cached_property
    def conductor(self) -> SweepConductor:
        spec = self.spec
        study = Study(
            spec.space,
            sampler=spec.search.sampler,
            seed=spec.seed if spec.search.seed is None else spec.search.seed,
            mode=self.job.mode,
            further=[one.mode for one in spec.further],
            baseline=point_of(spec, spec.baseline),
            key=spec.hyperparameters,
            warm_start=[*spec.search.warm_start, *self.ledger.state.added],
        )
        return SweepConductor(
            spec=spec,
            job=self.job,
            ledger=self.ledger,
            study=study,
            rule=build_rule(spec.search.scheduler, **self._lengths),
            retention=Retention(self.paths, self.ledger, spec.checkpoints.keep),
            stop_requested=self.stopping.is_set,
            stop=self.stopping.set,
        )

    def search(self) -> None:
        """Runs the trials of the search, until the conductor proposes no more."""
        conduct(
            self.conductor,
            placement=self.placement,
            scratch=self.paths.scratch,
            trainable=self.trainable,
        )

    @property
    def stops_nothing(self) -> bool:
        """Whether every trial ends before the scheduler may stop it."""
        return stops_nothing(self.spec.search.scheduler, **self._lengths)

    @property
    def _lengths(self) -> dict[str, int]:
        """The most epochs of a trial, and the steps in one where they are fewest."""
        rows, space = len(self.prepared.dataset.splits["train"]), self.spec.space
        steps = steps_per_epoch(rows, largest(space, "batch_size"))
        return {"max_epochs": largest(space, "epochs"), "steps_per_epoch": steps}


def job_of(
    spec: SweepSpec,
    paths: SweepPaths,
    materials: Materials,
    share: Share,
    *,
    state: SweepState | None,
    tokens: Mapping[str, Path] | None,
) -> TrialJob:
    """What the trials of a sweep share; without `tokens` it is enough to get warm with.

    `tokens` are the folders of each encoder by its name.

    `state` is that of a sweep that has begun: what its trials compute in was chosen once and stays,
    whatever machine it goes on with.
    """
    chosen = None if state is None else state.compute
    folders = {
        name: EncoderFolders(str(encoder.folder), "" if tokens is None else str(tokens[name]))
        for name, encoder in materials.encoders.items()
    }
    first, baseline = next(iter(folders.values())), spec.baseline.to_point()
    return TrialJob(
        folder=str(paths.folder),
        tokens=first.tokens,
        encoder=first.encoder,
        encoders={} if "" in folders else folders,
        encoders_kept=spec.resources.encoders_kept,
        labels=materials.dataset.labels,
        text=spec.data.text,
        metric=spec.objective.metric,
        mode=spec.objective.mode,
        threshold_rule=spec.threshold_rule,
        report_every=spec.report_every,
        cpus=share.cpus,
        gpus=share.gpus,
        precision=chosen["precision"] if chosen else spec.precision,
        jit=chosen["jit"] if chosen else spec.jit,
        costs=tuple(one.metric for one in spec.further if one.metric in COSTS),
        reference={name: baseline[name] for name in PREDICTION if name in baseline},
    )


def conduct(
    conductor: tune_hooks.Conductor, *, placement: Placement, scratch: Path, trainable: type[Any]
) -> None:
    """Runs Ray Tune until the conductor proposes nothing more, or everything must stop."""
    from ray import tune

    tuner = tune.Tuner(
        tune.with_resources(trainable, placement),
        tune_config=tune.TuneConfig(
            search_alg=tune_hooks.ConductedSearcher(conductor),
            scheduler=tune_hooks.ConductedScheduler(conductor),
            num_samples=-1,  # the conductor ends the proposals
            max_concurrent_trials=placement.share.concurrent,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(scratch),
            callbacks=[tune_hooks.ConductedCallback(conductor)],
            stop=tune_hooks.ConductedStopper(conductor),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            failure_config=tune.FailureConfig(max_failures=_LOST_ACTORS),
            verbose=0,
        ),
    )
    tuner.fit()


def point_of(spec: SweepSpec, hyperparameters: Hyperparameters) -> Point:
    """The point of the space that stands for complete parameters.

    All of them, where no point does: the study runs that as it is and does not learn from it.
    """
    complete = hyperparameters.to_point()
    point = spec.space.project(complete)
    inside = not spec.space.outside(point)
    return point if inside and spec.hyperparameters(point) == hyperparameters else complete
