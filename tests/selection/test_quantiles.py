from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multivariate_t

from bertsweep.selection.quantiles import expected_largest, largest_quantile, t_quantile


@pytest.mark.parametrize(
    ("count", "mean"), [(1, 0.0), (2, 1 / math.sqrt(math.pi)), (10, 1.53875), (50, 2.24907)]
)
def test_the_mean_of_the_largest_is_that_of_tables(count, mean):
    assert expected_largest(count) == pytest.approx(mean, abs=1e-5)


def test_the_largest_of_none_is_refused():
    with pytest.raises(ValueError, match="0 numbers"):
        expected_largest(0)


@pytest.mark.parametrize(("count", "degrees"), [(2, 2), (3, 8), (5, 10)])
def test_a_correlation_of_a_half_is_that_of_scipys_multivariate_t(count, degrees):
    limit = largest_quantile(0.95, count, degrees, 0.5)
    shape = np.full((count, count), 0.5) + 0.5 * np.eye(count)
    inside = multivariate_t(shape=shape, df=degrees, seed=0).cdf(np.full(count, limit))
    assert inside == pytest.approx(0.95, abs=5e-4)


def test_independent_errors_of_known_deviation_have_a_closed_form():
    exact = t_quantile(0.95 ** (1 / 4), math.inf)
    assert largest_quantile(0.95, 4, math.inf) == pytest.approx(exact, abs=1e-6)


def test_the_quantile_is_that_of_drawn_errors():
    rng = np.random.default_rng(1)
    scale = np.sqrt(rng.chisquare(4, size=200_000) / 4)
    largest = rng.normal(size=(200_000, 3)).max(axis=1) / scale
    limit = largest_quantile(0.95, 3, 4.0)
    assert np.mean(largest > limit) == pytest.approx(0.05, abs=0.003)
