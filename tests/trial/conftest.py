"""One workbench for the tests of trials: it takes seconds to build and to trace."""

from __future__ import annotations

import pytest

from bertsweep.trial.workbench import Workbench
from tests.support.trials import small_job, small_prepared


@pytest.fixture(scope="package")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return Workbench(small_job(tmp_path_factory.mktemp("sweep"), small_prepared()))
