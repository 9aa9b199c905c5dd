"""A confirmation in real processes: what it trains, what it says, and that no kill changes it."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

from bertsweep import ledger
from bertsweep.ledger.events import TrialReported
from tests.cli.test_json import example, shape
from tests.support.datafiles import questions
from tests.support.sweeps import SMALL, bertsweep, document, events, start

pytestmark = pytest.mark.slow

CONFIRMED = SMALL.replace("epochs: 3", "epochs: 1") + "confirm: {finalists: 1, seeds: 2}\n"


def written(folder: Path) -> str:
    path = folder / "small.yaml"
    path.write_text(CONFIRMED)
    return str(path)


def repeats(sweep: Path) -> dict[str, list[float]]:
    """The scores of every repeat, report by report; a refit has none."""
    found: dict[str, list[float]] = {}
    for event in events(sweep):
        if isinstance(event, TrialReported) and re.search("-[rs]", event.trial):
            found.setdefault(event.trial, []).append(event.metrics["val_average_precision"] or 0)
    return found


def wait_for_repeats(sweep: Path, count: int, seconds: float = 200) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if len(repeats(sweep)) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {count} repeats within {seconds} s")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("confirmed")
    done = bertsweep("run", written(folder), "--storage", str(folder))
    assert done.returncode == 0, done.stderr
    assert "95 % interval" in done.stdout
    return folder / "small"


def test_finalist_and_baseline_are_repeated_with_the_same_fresh_seeds(uninterrupted: Path) -> None:
    state = ledger.load(uninterrupted / "ledger.jsonl")
    assert state.confirmation is not None
    assert len(state.confirmation.finalists) == 2
    assert state.confirmation.finalists[-1] == "t0000"
    by_finalist = {
        name: [r.seed for r in state.repeats.values() if r.repeats == name]
        for name in state.confirmation.finalists
    }
    one, other = by_finalist.values()
    assert one == other
    assert len({*one, 42}) == 3, "fresh: no seed of the search"
    assert all(repeat.status == ledger.FINISHED for repeat in state.repeats.values())
    assert len(state.trials) == 3, "repeats are none of the budget"


def test_best_tells_of_it_and_its_checkpoint_is_the_delivered_one(uninterrupted: Path) -> None:
    best = document("best", str(uninterrupted))
    told = best["confirmation"]
    assert [one["seeds"] for one in told["finalists"]] == [2]
    assert told["baseline"]["seeds"] == 2
    assert told["verdict"]["text"]
    assert told["noise_floor"] > 0
    assert Path(best["checkpoint"]).parent.name == told["repeat"]
    means = [told["finalists"][0]["mean"], told["baseline"]["mean"]]
    assert told["delivered"] == ("t0000" if means[1] > means[0] else told["chosen"])
    assert best["trial"] == told["delivered"]
    described = example("confirm")
    assert set(told) == set(described) - {"sweep"}
    assert set(told["verdict"]) == set(described["verdict"])
    assert shape(told["finalists"]) == shape(described["finalists"])
    scores = repeats(uninterrupted)[told["repeat"]]
    assert best["objective"]["value"] == max(scores)


def test_more_seeds_and_splits_of_a_finished_sweep_train_only_what_is_new(
    uninterrupted: Path,
) -> None:
    before = repeats(uninterrupted)
    again = document("confirm", str(uninterrupted), "--seeds", "3", "--vary", "seed")
    after = repeats(uninterrupted)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 2
    assert [one["seeds"] for one in again["finalists"]] == [3]
    assert ledger.load(uninterrupted / "ledger.jsonl").status == ledger.FINISHED


def test_the_winner_trained_again_is_bit_equal(uninterrupted: Path) -> None:
    found = document("reproduce", str(uninterrupted))
    assert shape({**found, "differs": [""]}) == shape({**example("reproduce"), "allowed": 0.1})
    assert (found["outcome"], found["differs"], found["value"]) == ("identical", [], found["again"])


def test_a_refit_is_what_is_used_and_bit_equal_too(uninterrupted: Path) -> None:
    before = repeats(uninterrupted)
    told = document("confirm", str(uninterrupted), "--refit", "train+validation")
    assert repeats(uninterrupted) == before
    refit = told["refit"]
    assert (refit["trial"], refit["error"]) == (f"{told['delivered']}-f1", None)
    best = document("best", str(uninterrupted))
    assert Path(best["checkpoint"]).parent.name == told["repeat"] == refit["trial"]
    every = [*told["finalists"], told["baseline"]]
    expected = next(one["mean"] for one in every if one["trial"] == told["delivered"])
    assert best["objective"]["value"] == pytest.approx(expected)
    found = document("reproduce", str(uninterrupted))
    assert (found["trial"], found["outcome"]) == (refit["trial"], "identical")


def test_new_trials_are_confirmed_anew_and_the_test_split_stays_read_once(
    uninterrupted: Path,
) -> None:
    before = repeats(uninterrupted)
    done = bertsweep("resume", str(uninterrupted), "--trials", "4")
    assert done.returncode == 0, done.stderr
    best = document("best", str(uninterrupted))
    assert best["confirmation"]["trials"] == 4
    assert best["test"]["opened"] == 1
    after = repeats(uninterrupted)
    assert {name: after[name] for name in before} == before


def test_one_changed_row_is_named_and_nothing_is_trained(tmp_path: Path) -> None:
    rows = questions(300)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "small.yaml").write_text(
        CONFIRMED.replace('"builtin:questions", limit: 600', "rows.csv")
        .replace("split: {validation: 120, test: 50}", "split: {validation: 90, test: 50}")
        .replace("trials: 3", "trials: 1")
    )
    done = bertsweep("run", str(tmp_path / "small.yaml"), "--storage", str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows.loc[7, "text"] = "Is this another row?"
    rows.to_csv(tmp_path / "rows.csv", index=False)
    done = bertsweep("reproduce", str(tmp_path / "small"))
    assert done.returncode == 2
    assert "data: the sweep small began with content" in done.stderr


def test_ctrl_c_and_a_kill_change_nothing(tmp_path: Path, uninterrupted: Path) -> None:
    sweep, log = tmp_path / "small", tmp_path / "log"
    process = start("run", written(tmp_path), "--storage", str(tmp_path), log=log)
    wait_for_repeats(sweep, 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert "bertsweep resume" in log.read_text()
    assert ledger.load(sweep / "ledger.jsonl").status == ledger.INTERRUPTED
    process = start("resume", str(sweep), log=log)
    wait_for_repeats(sweep, 3)
    time.sleep(random.random())
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = bertsweep("resume", str(sweep))
    assert done.returncode == 0, done.stderr
    whole, found = repeats(uninterrupted), repeats(sweep)
    assert len(found) == 4
    assert found == {name: whole[name] for name in found}
    assert document("best", str(sweep))["test"]["opened"] == 1
