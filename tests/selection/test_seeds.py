from __future__ import annotations

import math

import numpy as np
import pytest

from bertsweep.selection.seeds import (
    noise,
    noise_floor,
    outperforming,
    seeds_needed,
    shrunk,
)

SEEDS = range(1, 9)


def runs(means, *, common=0.0, rest=1.0, seeds=SEEDS, seed=0):
    rng = np.random.default_rng(seed)
    shared = {one: common * rng.normal() for one in seeds}
    return [{one: mean + shared[one] + rest * rng.normal() for one in seeds} for mean in means]


def test_noise_is_that_of_an_analysis_of_variance():
    three = [{1: 1.0, 2: 3.0}, {1: 5.0, 2: 5.0}, {1: 2.0, 2: 6.0}]
    found = noise(three)
    assert found.deviation == pytest.approx(math.sqrt((2 + 0 + 8) / 3))
    # Seeds' means are 8/3 and 14/3: 1 apart from their mean each, three times, with one degree.
    assert found.rest == pytest.approx(math.sqrt((10 - 2 * 3 * 1) / 2))
    assert found.rest_degrees == 2


def test_runs_may_be_missing():
    whole = runs([0.0, 1.0, 2.0], common=3.0, rest=0.1)
    part = [whole[0], whole[1], {seed: whole[2][seed] for seed in (1, 2, 3)}]
    found = noise(part)
    assert found.rest_degrees == 19 - 3 - 7
    assert 0.05 < found.rest < 0.2
    assert found.deviation > 1


def test_a_part_common_to_all_leaves_few_degrees_of_freedom():
    alone = noise(runs([0.0] * 4, common=0.0))
    together = noise(runs([0.0] * 4, common=20.0))
    assert together.degrees == pytest.approx(7, abs=0.2)
    assert alone.degrees > 20


def test_one_run_has_no_noise_to_show():
    found = noise([{1: 0.5}, {1: 0.6}])
    assert math.isnan(found.deviation)
    assert math.isnan(found.rest)
    assert found.degrees == found.rest_degrees == 0


def test_the_noise_floor_is_what_the_best_of_equals_reaches():
    rng = np.random.default_rng(0)
    reached = (0.01 * rng.normal(size=(20_000, 20))).max(axis=1).mean()
    assert noise_floor(0.01, 20) == pytest.approx(reached, rel=0.01)
    assert noise_floor(0.01, 1) == 0


def test_what_noise_explains_is_shrunk_to_the_centre():
    means = {"a": 0.50, "b": 0.51, "c": 0.52}
    drawn = shrunk(means, dict.fromkeys(means, 3), deviation=0.1)
    assert drawn == pytest.approx(dict.fromkeys(means, 0.51))


def test_what_noise_does_not_explain_stays():
    means = {"a": 0.3, "b": 0.5, "c": 0.7}
    drawn = shrunk(means, dict.fromkeys(means, 3), deviation=0.001)
    assert drawn == pytest.approx(means, abs=1e-4)


def test_a_configuration_with_fewer_runs_is_shrunk_more():
    means = {"a": 0.4, "b": 0.5, "c": 0.6}
    drawn = shrunk(means, {"a": 1, "b": 3, "c": 3}, deviation=0.05)
    assert drawn["a"] - means["a"] > means["c"] - drawn["c"] > 0


def test_seeds_needed_is_noethers_number():
    # 29 for γ = 0.75 at 5 % errors is what Bouthillier et al. (2021) recommend.
    assert seeds_needed(0.75) == 29
    assert seeds_needed(0.25) == 29
    # The R package skewsamp comes to 2 · 142.73 in all.
    assert seeds_needed(0.4, alpha=0.05, beta=0.1) == 143
    assert seeds_needed(0.5) is None
    assert seeds_needed(0.999) > 2


def test_outperforming_is_the_share_of_pairs():
    rng = np.random.default_rng(0)
    share = np.mean(0.7 + rng.normal(size=100_000) > rng.normal(size=100_000))
    assert outperforming(0.7, 1.0) == pytest.approx(share, abs=0.01)
