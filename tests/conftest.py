"""Fixtures shared by every test: a private cache, and the real inputs where they are present."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
REAL = REPOSITORY.parent / "shared" / "real"


@pytest.fixture(scope="session", autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One cache for the whole run, none of the user's; no W&B account."""
    os.environ["BERTSWEEP_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # Ray's workers stand back for all others, which the tests beside them would make long waits of.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (its name)
    for name in ("WANDB_API_KEY", "RAY_ADDRESS", "BERTSWEEP_STORAGE"):
        os.environ.pop(name, None)
    # A shell's background job ignores Ctrl-C, and so would every process that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those on real data take the longest: begun last, they would keep one process idle."""
    items.sort(key=lambda item: item.get_closest_marker("real") is None)


@pytest.fixture(scope="session")
def real_quora() -> Path:
    return _real("quora")


@pytest.fixture(scope="session")
def real_trec6() -> Path:
    return _real("trec6")


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real encoder, put into a folder of this run."""
    script = _real("get-minilm")
    folder = tmp_path_factory.mktemp("minilm")
    subprocess.run(["bash", str(script), str(folder), sys.executable], check=True)
    return folder


def _real(name: str) -> Path:
    path = REAL / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path
