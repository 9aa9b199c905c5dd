from __future__ import annotations

import json

import numpy as np
import pytest

from bertsweep.selection import confirm, losers
from bertsweep.selection.choice import CHEAPER, HIGHEST, SIMPLER

BASE = {1: 0.50, 2: 0.52, 3: 0.51}
CLEAR = {
    "t0007": {1: 0.60, 2: 0.62, 3: 0.63},
    "t0003": {1: 0.55, 2: 0.56, 3: 0.54},
}
TIED = {
    "t0007": {1: 0.60, 2: 0.62, 3: 0.63},
    "t0003": {1: 0.61, 2: 0.61, 3: 0.62},
}


def test_a_clear_winner_beats_the_baseline_in_one_sentence():
    found = confirm(CLEAR, mode="max", trials=12, baseline=BASE)
    assert [one.trial for one in found.finalists] == ["t0007", "t0003"]
    assert found.chosen == found.winner.trial == "t0007"
    assert found.rule == HIGHEST
    assert not found.tie
    assert found.seeds_needed is None
    verdict = found.verdict
    assert verdict.outcome == "better"
    assert verdict.difference == pytest.approx(0.61667 - 0.51, abs=1e-4)
    assert 0 < verdict.low < verdict.difference < verdict.high
    assert verdict.probability_better > 0.99
    assert verdict.text == (
        "t0007 beats the baseline by 0.107 on the validation rows "
        "(95 % interval 0.084 to 0.131, 3 seeds)."
    )
    assert found.noise_floor == pytest.approx(1.6292 * found.deviation, rel=1e-3)


def test_the_interval_of_a_chosen_one_reaches_further_down_than_up():
    another = {"t0001": {1: 0.56, 2: 0.57, 3: 0.57}}
    found = confirm({**CLEAR, **another}, mode="max", trials=12, baseline=BASE)
    winner = found.winner
    assert winner.mean - winner.low > winner.high - winner.mean
    assert found.baseline.mean - found.baseline.low == pytest.approx(
        found.baseline.high - found.baseline.mean
    )


def test_a_loss_is_the_mirror_image():
    turned = {name: {s: -v for s, v in runs.items()} for name, runs in CLEAR.items()}
    base = {seed: -score for seed, score in BASE.items()}
    up = confirm(CLEAR, mode="max", trials=12, baseline=BASE)
    down = confirm(turned, mode="min", trials=12, baseline=base)
    assert down.chosen == up.chosen
    assert down.verdict == up.verdict
    assert (down.winner.low, down.winner.high) == (-up.winner.high, -up.winner.low)
    assert down.shrunk == pytest.approx(-up.shrunk)


def test_the_estimate_of_the_winner_is_drawn_to_the_others():
    found = confirm(TIED, mode="max", trials=12, baseline=BASE)
    assert found.finalists[1].mean < found.shrunk < found.finalists[0].mean + 1e-12


def test_a_tie_goes_to_the_cheaper():
    found = confirm(TIED, mode="max", trials=12, costs={"t0007": 4.0, "t0003": 1.0})
    assert found.tie
    assert set(found.tied) == {"t0007", "t0003"}
    assert (found.chosen, found.rule) == ("t0003", CHEAPER)
    assert "cheaper to run (1 against up to 4)" in found.reason
    assert found.seeds_needed > 3
    assert found.verdict.outcome == "no baseline"


def test_equal_costs_leave_it_to_the_simpler_within_one_standard_error():
    same = {"t0007": 1.0, "t0003": 1.01}
    found = confirm(TIED, mode="max", trials=12, costs=same, simplicity=["t0003", "t0007"])
    assert (found.chosen, found.rule) == ("t0003", SIMPLER)
    found = confirm(TIED, mode="max", trials=12, costs=same)
    assert (found.chosen, found.rule) == ("t0007", HIGHEST)


def test_a_cheaper_one_that_is_beaten_is_not_taken():
    found = confirm(CLEAR, mode="max", trials=12, baseline=BASE, costs={"t0007": 9, "t0003": 1})
    assert found.chosen == "t0007"


def test_worse_and_not_distinguishable_are_said():
    worse = confirm(CLEAR, mode="min", trials=12, baseline=BASE)
    assert worse.verdict.outcome == "worse"
    assert "is worse than the baseline by" in worse.verdict.text
    close = {seed: score + 0.1 + 0.01 * (seed == 2) for seed, score in BASE.items()}
    unclear = confirm(TIED, mode="max", trials=12, baseline=close)
    assert unclear.verdict.outcome == "not distinguishable"
    assert unclear.verdict.text.startswith("t0007 cannot be told from the baseline: ")
    assert unclear.verdict.seeds_needed > 3


def test_one_seed_each_shows_no_noise():
    found = confirm({"a": {1: 0.5}, "b": {1: 0.6}}, mode="max", trials=2, baseline={1: 0.1})
    assert found.winner.low is None
    assert found.noise_floor is None
    assert found.verdict.outcome == "not distinguishable"
    assert "one seed" in found.verdict.text
    assert found.tied == ("a", "b")


def test_one_finalist_has_a_plain_interval():
    found = confirm({"a": {1: 0.5, 2: 0.6, 3: 0.55}}, mode="max", trials=5)
    # Student's t with 2 degrees of freedom: 4.303 · 0.05 / √3.
    assert found.winner.high - found.winner.mean == pytest.approx(0.12421, abs=1e-4)
    assert found.winner.mean - found.winner.low == pytest.approx(0.12421, abs=1e-4)
    assert found.shrunk == found.winner.mean


def test_a_stopped_finalist_is_not_chosen():
    early = {**TIED, "t0009": {1: 0.7}}
    found = confirm(early, mode="max", trials=12, baseline=BASE, stopped=["t0009"])
    assert found.chosen != "t0009"
    assert "t0009" not in found.tied
    assert found.finalists[0].stopped


def test_a_confirmation_is_plain_json():
    found = confirm(TIED, mode="max", trials=12, baseline=BASE)
    plain = json.loads(json.dumps(found.to_plain(), allow_nan=False))
    assert plain["tie"] is True
    assert plain["finalists"][0]["trial"] == "t0007"
    assert plain["verdict"]["text"] == found.verdict.text


@pytest.mark.parametrize(
    ("finalists", "baseline", "message"),
    [
        ({}, None, "at least one finalist"),
        ({"a": {}}, None, "a needs a finite score"),
        ({"a": {1: float("nan")}}, None, "a needs a finite score"),
        ({"a": {1: 0.5}}, {}, "the baseline needs a finite score"),
    ],
)
def test_what_cannot_be_compared_is_refused(finalists, baseline, message):
    with pytest.raises(ValueError, match=message):
        confirm(finalists, mode="max", trials=3, baseline=baseline)


def test_runs_without_a_seed_in_common_are_not_compared():
    finalists = {"a": {1: 0.9, 2: 0.91}, "b": {3: 0.1, 4: 0.12}}
    found = confirm(finalists, mode="max", trials=3, baseline={5: 0.5, 6: 0.51})
    assert found.chosen == "a"
    assert found.tied == ("a", "b")
    assert found.verdict.outcome == "no baseline"
    assert "no seed in common" in found.verdict.text


# Racing


def test_a_finalist_far_behind_is_given_up_and_a_close_one_is_not():
    rng = np.random.default_rng(0)
    scores = {
        name: {seed: mean + 0.005 * rng.normal() for seed in (1, 2)}
        for name, mean in {"a": 0.6, "b": 0.598, "c": 0.4}.items()
    }
    base = {1: 0.3, 2: 0.303}
    assert losers(scores, mode="max", rounds=3, baseline=base) == ("c",)
    turned = losers(scores, mode="min", rounds=3, baseline=base)
    assert set(turned) == {"a", "b"}
    assert losers(scores, mode="max", rounds=3, baseline=base, stopped=["c"]) == ()


def test_nobody_is_given_up_before_noise_is_known_or_after_the_last_round():
    one = {"a": {1: 0.9}, "b": {1: 0.1}}
    assert losers(one, mode="max", rounds=3) == ()
    two = {"a": {1: 0.90, 2: 0.91, 3: 0.92}, "b": {1: 0.1, 2: 0.12, 3: 0.1}}
    assert losers(two, mode="max", rounds=3) == ()
    assert losers(two, mode="max", rounds=4) == ("b",)


def test_a_round_that_is_not_complete_is_no_look_of_its_own():
    whole = {"a": {1: 0.90, 2: 0.91, 3: 0.92}, "b": {1: 0.1, 2: 0.12, 3: 0.1}}
    begun = {"a": {**whole["a"], 4: 0.0}, "b": whole["b"]}
    assert losers(begun, mode="max", rounds=5) == losers(whole, mode="max", rounds=5) == ("b",)


def test_scores_without_any_noise_stop_nobody():
    assert losers({"a": {1: 0.9, 2: 0.9}, "b": {1: 0.1, 2: 0.1}}, mode="max", rounds=3) == ()
