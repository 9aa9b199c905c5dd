"""One trained sweep for all tests of scoring."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import trainedsweep


@pytest.fixture(scope="package")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing may be written to it."""
    return trainedsweep.write_sweep(tmp_path_factory.mktemp("trained"))
