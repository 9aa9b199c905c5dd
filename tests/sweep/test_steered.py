"""What a running sweep does when it is asked from outside, and what it says of it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bertsweep import ledger as events
from bertsweep import steering
from bertsweep.errors import InputError, SpecError
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import SweepSteered
from bertsweep.paths import SweepPaths
from bertsweep.search.stopping import build_rule
from bertsweep.spec import SweepSpec, from_plain, point_in_words
from bertsweep.steering import AddPoint, Asked, Pause, SetBounds, SetConcurrent, StopTrial
from bertsweep.sweep import steered
from bertsweep.sweep.conductor import ASKED, SweepConductor
from bertsweep.sweep.experiment import point_of
from bertsweep.sweep.retention import Retention
from tests.support.clisweeps import cli
from tests.sweep import test_conductor
from tests.sweep.test_conductor import STEPS, Make, begin, job, report, run

make, paths = test_conductor.make, test_conductor.paths


@pytest.fixture(autouse=True)
def _look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steered, "EVERY_SECONDS", 0.0)


def asked(conductor: SweepConductor, *requests: Asked) -> list[str | None]:
    """Asks, lets the conductor look, and gives why each was refused."""
    where = conductor.retention.paths
    names = [steering.ask(where, request) for request in requests]
    conductor.alive()
    assert not list(steering.pending(where))
    return [conductor.ledger.state.steered[name] for name in names]


def again(conductor: SweepConductor) -> SweepConductor:
    """The conductor of a command that resumes the sweep."""
    where, spec = conductor.retention.paths, conductor.spec
    conductor.ledger.close()
    ledger = Ledger(where.ledger)
    made = SweepConductor(
        spec=spec,
        job=job(where),
        ledger=ledger,
        study=test_conductor.study(spec, added=ledger.state.added),
        rule=build_rule(spec.search.scheduler, max_epochs=2, steps_per_epoch=STEPS),
        retention=Retention(where, ledger, spec.checkpoints.keep),
        stop_requested=lambda: False,
    )
    made.refill()
    return made


def test_a_trial_stops_at_its_next_report_and_what_it_reached_counts(make: Make) -> None:
    conductor = make("search.scheduler=none")
    baseline, other = begin(conductor), begin(conductor)
    assert not conductor.reported(other, report(1, 0.6, f"trials/{other}/best-0001"))
    assert asked(conductor, StopTrial(trial=other)) == [None]
    assert conductor.reported(other, report(2, 0.5))
    assert not conductor.reported(baseline, report(1, 0.4))
    conductor.ended(other)
    state = conductor.ledger.state
    assert state.trials[other].status == events.STOPPED
    assert state.trials[other].reason == ASKED
    assert state.leader == other
    assert asked(conductor, StopTrial(trial=other)) == [f"{other} has ended"]
    assert asked(conductor, StopTrial(trial="t0077")) == ["there is no trial t0077"]


def test_a_stop_that_was_asked_for_holds_after_a_crash(make: Make) -> None:
    conductor = make("search.scheduler=none")
    trial = begin(conductor)
    conductor.reported(trial, report(1, 0.6))
    asked(conductor, StopTrial(trial=trial))
    assert again(conductor).ledger.state.trials[trial].status == events.STOPPED


def test_an_added_point_is_the_next_trial_and_is_run_once(make: Make) -> None:
    conductor = make("search.scheduler=none")
    run(conductor, 0.5)
    point = point_in_words(conductor.spec, "learning_rate=2e-3")
    assert asked(conductor, AddPoint(point=point)) == [None]
    assert asked(conductor, AddPoint(point=point)) == ["a trial had this point already"]
    conductor = again(conductor)
    trial = conductor.ledger.state.trials[begin(conductor)]
    assert trial.params["learning_rate"] == 2e-3
    assert trial.origin == events.WARM_START
    assert conductor.ledger.state.trials[begin(conductor)].origin == events.SAMPLER


def test_the_budget_grows_and_shrinks(make: Make) -> None:
    conductor = make("search.scheduler=none")
    run(conductor, 0.5)
    asked(conductor, SetBounds(bounds={"trials": 1}))
    assert conductor.propose() is None
    asked(conductor, SetBounds(bounds={"trials": 2}))
    run(conductor, 0.6)
    assert conductor.propose() is None


def test_fewer_trials_run_at_once_until_more_may(make: Make) -> None:
    conductor = make("search.scheduler=none")
    asked(conductor, SetConcurrent(concurrent=1))
    begin(conductor)
    assert conductor.propose() is None
    assert not conductor.exhausted()
    asked(conductor, SetConcurrent(concurrent=2))
    begin(conductor)
    assert conductor.propose() is None
    assert again(conductor).ledger.state.concurrent == 2, "the command may have been killed"


def test_a_pause_is_what_ctrl_c_is(make: Make) -> None:
    conductor = make()
    stopped: list[str] = []
    conductor.stop = lambda: stopped.append("by request")
    assert asked(conductor, Pause()) == [None]
    assert stopped


def test_a_request_is_done_once_and_junk_is_swept(make: Make, paths: SweepPaths) -> None:
    conductor = make()
    name = steering.ask(paths, SetBounds(bounds={"trials": 9}))
    kept = (paths.requests / f"{name}.json").read_bytes()
    (paths.requests / "0-junk.json").write_text("{")
    (paths.requests / "1-junk.json").write_text('{"kind":"format_disk"}')
    conductor.alive()
    # A command that died before it removed the file left it behind.
    (paths.requests / f"{name}.json").write_bytes(kept)
    conductor.alive()
    assert not list(paths.requests.iterdir())
    on_record = [e for e in events.read(paths.ledger) if isinstance(e, SweepSteered)]
    assert [event.asked["bounds"] for event in on_record] == [{"trials": 9}]


def spec() -> SweepSpec:
    return test_conductor.small_spec("space.dropout={low: 0.0, high: 0.6}", "baseline.dropout=0.5")


def test_a_point_is_completed_by_the_baseline() -> None:
    wanted = from_plain(spec().to_plain())
    found = point_in_words(wanted, "dropout=0.25")
    assert found == {**point_of(wanted, wanted.baseline), "dropout": 0.25}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dropout=0.9", "point of the space"),
        ("droput=0.3", "droput"),
        ("dropout", "NAME=VALUE"),
        ("dropout=", "NAME=VALUE"),
        ("dropout=[", "point dropout="),
        ("", "NAME=VALUE"),
    ],
)
def test_what_is_no_point_is_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        point_in_words(spec(), text)


def test_the_commands_ask_and_tell_the_answer(
    make: Make, paths: SweepPaths, tmp_path: Path
) -> None:
    conductor = make("search.scheduler=none")
    trial = begin(conductor)
    over = threading.Event()

    def drive() -> None:
        while not over.is_set():
            conductor.alive()
            time.sleep(0.05)

    driver = threading.Thread(target=drive)
    driver.start()
    try:
        done: Any = {
            verb[0]: cli(verb[0], "small", *verb[1:], "--storage", tmp_path)
            for verb in (
                ("stop", "--trial", trial),
                ("add", "--point", "learning_rate=2e-3"),
                ("set", "budget.trials=9", "resources.concurrent=1"),
                ("pause",),
            )
        }
        refused = cli("stop", "small", "--trial", "t0077", "--storage", tmp_path)
        without = cli("stop", "small", "--storage", tmp_path)
        wrong = cli("set", "small", "budget.trials=many", "--storage", tmp_path)
        unknown = cli("set", "small", "space.epochs=9", "--storage", tmp_path)
    finally:
        over.set()
        driver.join()
    assert {name: (one.code, one.err) for name, one in done.items()} == dict.fromkeys(done, (0, ""))
    assert f"{trial} stops at its next report" in done["stop"].out
    assert "next: learning_rate 0.002" in done["add"].out
    assert "budget: 9 trials" in done["set"].out
    assert "bertsweep resume" in done["pause"].out
    assert (refused.code, without.code, wrong.code, unknown.code) == (2, 2, 2, 2)
    assert "there is no trial t0077" in refused.err
    assert "bertsweep pause" in without.err
    assert "whole number above 0" in wrong.err
    assert "budget.trials" in unknown.err


def test_a_sweep_that_does_not_run_cannot_be_steered(make: Make, tmp_path: Path) -> None:
    make().ledger.close()
    done = cli("pause", "small", "--storage", tmp_path)
    assert done.code == InputError.exit_code
    assert "is interrupted. `bertsweep resume" in done.err
