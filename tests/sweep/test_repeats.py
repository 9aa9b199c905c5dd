"""Which finalist is repeated when, driven without Ray: real ledger, real files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from bertsweep import ledger as events
from bertsweep.checkpoints import PREDICTIONS, Predictions, predictions
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import ConfirmationEnded, ConfirmationStarted, TrialProposed
from bertsweep.paths import SweepPaths
from bertsweep.ranking import ranking, winner
from bertsweep.sweep.refit import planned
from bertsweep.sweep.repeats import Race, RepeatConductor, scores_of
from bertsweep.sweep.retention import Retention
from bertsweep.trial.worker import FAILED, REPORT
from tests.support import clisweeps
from tests.support.checkpoints import write_checkpoint
from tests.sweep.test_conductor import REPORTS, job, report

SEEDS = (11, 12, 13)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    """A sweep of three trials that ended, of which t0001 is the best."""
    with clisweeps.sweep(tmp_path) as ledger:
        for number, value in enumerate((0.5, 0.7, 0.6)):
            name = f"t{number:04d}"
            origin = "sampler" if number else "baseline"
            clisweeps.propose(ledger, name, {"dropout": number / 10}, origin=origin)
            clisweeps.report(ledger, name, 1, value)
            clisweeps.checkpoint(ledger, tmp_path / "demo", name, 1)
            ledger.append(events.events.TrialFinished(trial=name))
        ledger.append(
            ConfirmationStarted(
                finalists=("t0001", "t0002", "t0000"), seeds=SEEDS, splits=(None, None, None)
            )
        )
        yield ledger


def nobody(scores: Mapping[str, Mapping[int, float]]) -> Mapping[str, str]:
    return {}


def conductor(book: Ledger, storage: Path, race: Race = nobody) -> RepeatConductor:
    paths = SweepPaths(storage / "demo")
    return RepeatConductor(
        job=job(paths),
        ledger=book,
        retention=Retention(paths, book, keep=1),
        race=race,
        stop_requested=lambda: False,
    )


def run(conducted: RepeatConductor, value: float, storage: Path) -> str:
    config = conducted.propose()
    assert config is not None
    name = str(config["trial"])
    conducted.started(name, "node")
    write_checkpoint(storage / "demo" / "trials" / name, REPORTS)
    path = f"trials/{name}/best-{REPORTS:04d}"
    for number in range(1, REPORTS + 1):
        told = report(number, value, path if number == REPORTS else None)
        assert not conducted.reported(name, told)
    conducted.ended(name)
    return name


def test_all_finalists_run_with_a_seed_before_any_runs_with_the_next(
    book: Ledger, tmp_path: Path
) -> None:
    conducted = conductor(book, tmp_path)
    given = [conducted.propose() for _ in range(9)]
    assert conducted.propose() is None
    assert [config["seed"] for config in given if config] == [s for s in SEEDS for _ in range(3)]
    repeats = book.state.repeats
    assert [r.repeats for r in repeats.values()] == ["t0001", "t0002", "t0000"] * 3
    assert {r.params["dropout"] for r in repeats.values()} == {0.0, 0.1, 0.2}
    assert not conducted.exhausted()


def test_repeats_are_no_trials_of_the_search(book: Ledger, tmp_path: Path) -> None:
    before = dict(book.state.statuses)
    run(conductor(book, tmp_path), 0.99, tmp_path)
    assert book.state.statuses == before
    assert [trial.id for trial in ranking(book.state)] == ["t0001", "t0002", "t0000"]
    assert book.state.leader == "t0001"


def test_what_ended_is_not_repeated_again_and_the_rest_goes_on(
    book: Ledger, tmp_path: Path
) -> None:
    first = conductor(book, tmp_path)
    done = [run(first, 0.5 + n / 100, tmp_path) for n in range(4)]
    begun = first.propose()
    assert begun is not None
    first.started(str(begun["trial"]), "node")

    again = conductor(book, tmp_path)
    assert again.left == 5
    rest = [run(again, 0.6, tmp_path) for _ in range(5)]
    assert rest[0] == begun["trial"]
    assert again.propose() is None
    assert again.exhausted()
    assert not set(done) & set(rest)
    assert len(scores_of(book.state.repeats, again.confirmation)["t0001"]) == 3


def test_a_finalist_that_can_no_longer_win_is_repeated_no_more(
    book: Ledger, tmp_path: Path
) -> None:
    asked: list[dict[str, int]] = []

    def race(scores: Mapping[str, Mapping[int, float]]) -> Mapping[str, str]:
        asked.append({name: len(values) for name, values in scores.items()})
        return {"t0002": "too far behind"} if len(asked) == 1 else {}

    conducted = conductor(book, tmp_path, race)
    run_ids = []
    while not conducted.exhausted():
        run_ids.append(run(conducted, 0.5, tmp_path))
    first = dict.fromkeys(("t0001", "t0002", "t0000"), 1)
    assert asked == [first, {"t0001": 2, "t0002": 1, "t0000": 2}]
    assert len(run_ids) == 3 + 2 + 2
    assert conducted.confirmation.dropped == {"t0002": "too far behind"}


def test_one_that_was_to_be_dropped_when_the_command_died_is_dropped_by_the_next(
    book: Ledger, tmp_path: Path
) -> None:
    killed = conductor(book, tmp_path)
    for _ in range(3):
        run(killed, 0.5, tmp_path)
    again = conductor(book, tmp_path, lambda scores: {"t0002": "too far behind"})
    again.catch_up()
    assert again.confirmation.dropped == {"t0002": "too far behind"}
    assert again.left == 4
    assert {run(again, 0.5, tmp_path) for _ in range(4)} == {
        *("t0001-r2", "t0001-r3", "t0000-r2", "t0000-r3")
    }


def test_the_best_repeat_of_each_finalist_keeps_its_checkpoint(
    book: Ledger, tmp_path: Path
) -> None:
    conducted = conductor(book, tmp_path)
    names = [run(conducted, value / 100, tmp_path) for value in (50, 51, 52, 60, 49, 48, 1, 2, 60)]
    kept = {name for name in names if book.state.repeats[name].checkpoint}
    assert kept == {names[3], names[1], names[8]}
    on_disk = {path.parent.name for path in (tmp_path / "demo" / "trials").glob("*-r*/best-*")}
    assert on_disk == kept


def test_the_delivered_repeat_is_what_is_used_until_there_are_new_trials(
    book: Ledger, tmp_path: Path
) -> None:
    conducted = conductor(book, tmp_path)
    name = run(conducted, 0.4, tmp_path)
    assert winner(book.state).id == "t0001"
    book.append(ConfirmationEnded(outcome={}, delivered=name))
    assert winner(book.state).id == name == "t0001-r1"
    book.append(
        TrialProposed(trial="t0003", number=3, point={}, params={}, seed=1, origin="sampler")
    )
    assert winner(book.state).id == "t0001"
    assert book.state.confirmation is None
    assert name in book.state.repeats


def test_a_checkpoint_is_recorded_though_the_command_died_before_that_line(
    book: Ledger, tmp_path: Path
) -> None:
    name = str((conductor(book, tmp_path).propose() or {})["trial"])
    paths = [f"trials/{name}/best-{number:04d}" for number in range(1, REPORTS + 1)]
    told = [report(number, number / 10, path) for number, path in enumerate(paths, start=1)]
    killed = conductor(book, tmp_path)
    killed.propose()
    killed.started(name, "node")
    for one in told[:-1]:
        killed.reported(name, one)
    last = json.loads(told[-1][REPORT])
    kept = ("report", "epoch", "examples", "seconds", "metrics", "system")
    book.append(events.events.TrialReported(trial=name, **{key: last[key] for key in kept}))
    repeat = book.state.repeats[name]
    assert repeat.checkpoint == paths[-2], "the best report's is not on record"

    write_checkpoint(tmp_path / "demo" / "trials" / name, REPORTS)
    again = conductor(book, tmp_path)
    again.propose()
    again.started(name, "node")
    for one in told:
        again.reported(name, one)
        assert repeat.checkpoint == (paths[-1] if one is told[-1] else paths[-2])
        again.reported(name, one)
    again.ended(name)
    assert (repeat.checkpoint, repeat.threshold) == (paths[-1], REPORTS / 10)
    assert len(repeat.reports) == REPORTS


def test_a_fault_of_the_environment_ends_it_and_the_repeat_runs_again(
    book: Ledger, tmp_path: Path
) -> None:
    conducted = conductor(book, tmp_path)
    config = conducted.propose()
    assert config is not None
    name = str(config["trial"])
    conducted.failed(name, "no space left on the device", fault="environment")
    assert conducted.broken == "no space left on the device"
    assert conducted.propose() is None
    assert run(conductor(book, tmp_path), 0.5, tmp_path) == name


def refitting(book: Ledger, storage: Path) -> RepeatConductor:
    """Repeats everything, and would then refit t0001 by the rules."""
    conducted = conductor(book, storage)
    paths = SweepPaths(storage / "demo")
    conducted.refit = lambda: planned(book.state, paths, "t0001", seed=42)
    return conducted


def repeated(book: Ledger, storage: Path) -> RepeatConductor:
    """The same, all nine repeats done, with what they predicted."""
    conducted = refitting(book, storage)
    for value in (50, 51, 52, 60, 49, 48, 55, 49, 48):
        name = run(conducted, value / 100, storage)
        folder = storage / "demo" / "trials" / name
        kept = Predictions(np.array([0, 1], np.int32), np.array([0.2, 0.8]))
        predictions.save(kept, folder / PREDICTIONS)
    return conducted


def end_refit(conducted: RepeatConductor, storage: Path, *, error: str | None = None) -> str:
    config = conducted.propose()
    assert config is not None
    name = str(config["trial"])
    conducted.started(name, "node")
    path = write_checkpoint(storage / "demo" / "trials" / name, 1)
    told = json.loads(report(1, None, str(path.relative_to(storage / "demo")))[REPORT])
    told = {**told, "finished": True} if error is None else {FAILED: error}
    conducted.reported(name, {REPORT: json.dumps(told)})
    conducted.ended(name)
    return name


def test_a_refit_waits_for_all_repeats_and_follows_from_them(book: Ledger, tmp_path: Path) -> None:
    conducted = refitting(book, tmp_path)
    assert all(conducted.propose() for _ in range(9))
    assert conducted.propose() is None
    assert not conducted.exhausted(), "it comes when they have ended"
    assert not any(repeat.refit for repeat in book.state.repeats.values())


def test_a_refit_has_the_median_epoch_and_the_mean_scores(book: Ledger, tmp_path: Path) -> None:
    conducted = repeated(book, tmp_path)
    config = conducted.propose()
    assert config is not None
    refit = book.state.repeats[str(config["trial"])]
    assert (refit.id, refit.repeats, refit.origin) == ("t0001-f1", "t0001", "refit")
    assert refit.seed not in {*SEEDS, 42}
    assert refit.refit is not None
    repeats = [book.state.repeats[f"t0001-r{n}"] for n in (1, 2, 3)]
    assert refit.refit.epoch == repeats[0].best["epoch"]
    assert refit.refit.expected == {"val_average_precision": pytest.approx((0.5 + 0.6 + 0.55) / 3)}
    assert refit.refit.sources == tuple(one.last_checkpoint for one in repeats)
    assert config["refit"]["epoch"] == refit.refit.epoch


def test_a_refit_is_kept_delivered_and_not_trained_again(book: Ledger, tmp_path: Path) -> None:
    name = end_refit(repeated(book, tmp_path), tmp_path)
    assert book.state.repeats[name].value is None
    assert (tmp_path / "demo" / "trials" / name / "best-0001").is_dir()
    again = refitting(book, tmp_path)
    again.retention.tidy()
    assert again.exhausted()
    assert again.refitted is not None
    assert again.refitted.id == name
    assert ranking(book.state)[0].id == "t0001"
    assert scores_of(book.state.repeats, again.confirmation)["t0001"].keys() == set(SEEDS)
    book.append(ConfirmationEnded(outcome={}, delivered=name))
    assert winner(book.state).id == name
    state = events.load(tmp_path / "demo" / "ledger.jsonl")
    assert state.repeats[name].refit == book.state.repeats[name].refit


def test_one_that_was_begun_goes_on(book: Ledger, tmp_path: Path) -> None:
    begun = repeated(book, tmp_path).propose()
    again = refitting(book, tmp_path)
    assert again.left == 1
    config = again.propose()
    assert config == begun
    assert again.propose() is None
    assert not again.exhausted()


def test_a_refit_that_diverges_is_not_tried_again(book: Ledger, tmp_path: Path) -> None:
    name = end_refit(repeated(book, tmp_path), tmp_path, error="the loss became NaN")
    assert book.state.repeats[name].status == events.FAILED
    again = refitting(book, tmp_path)
    assert again.exhausted()
    assert book.state.repeats[name].checkpoint is None


def test_more_seeds_are_another_refit_and_replace_the_first(book: Ledger, tmp_path: Path) -> None:
    first = end_refit(repeated(book, tmp_path), tmp_path)
    book.append(ConfirmationStarted(finalists=("t0001",), seeds=(*SEEDS, 14), splits=(None,) * 4))
    more = refitting(book, tmp_path)
    run(more, 0.9, tmp_path)
    second = end_refit(more, tmp_path)
    assert (first, second) == ("t0001-f1", "t0001-f2")
    kept = {one.id for one in book.state.repeats.values() if one.refit and one.checkpoint}
    assert kept == {second}


def test_without_what_the_repeats_predicted_there_is_no_refit(book: Ledger, tmp_path: Path) -> None:
    conducted = repeated(book, tmp_path)
    for path in (tmp_path / "demo" / "trials").rglob(PREDICTIONS):
        path.unlink()
    assert conducted.exhausted()
    assert conducted.refitted is None
