"""What the doctor finds: on this machine, and where something is wrong."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from bertsweep.doctor import Finding, diagnose, folders, machine, processes, versions
from bertsweep.errors import InputError
from tests.support.clisweeps import cli


def run_doctor(*arguments: object, **environment: str) -> tuple[int, dict[str, Finding], str]:
    """The real command in a process of its own, which also tells what it had to load."""
    code = (
        "import sys; from bertsweep.cli import main; "
        "code = main(['doctor', '--json', *sys.argv[1:]]);"
        "print({'ray', 'tensorflow', 'wandb'} & set(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.stderr.strip() == "set()", done.stderr
    found = [Finding(**finding) for finding in json.loads(done.stdout)["findings"]]
    return done.returncode, {finding.topic: finding for finding in found}, done.stdout


def test_this_machine_is_described(tmp_path: Path) -> None:
    code, found, text = run_doctor(
        "--storage", tmp_path, BERTSWEEP_CACHE=str(tmp_path / "cache"), WANDB_API_KEY="s3cret" * 8
    )
    errors = [finding for finding in found.values() if finding.status == "error"]
    assert code == (3 if errors else 0)
    for topic in ("python", "bertsweep", "ray", "tensorflow", "optuna", "wandb", "CPUs", "memory"):
        assert found[topic].status in ("ok", "warning"), found[topic]
    assert "1 node" in found["Ray"].value
    assert "CPU" in found["TensorFlow"].value or "GPU" in found["TensorFlow"].value
    assert found["cache"].value.endswith("private")
    assert found["W&B login"] == Finding("W&B login", "ok", "key in WANDB_API_KEY")
    assert "s3cret" not in text
    assert found["storage"].value == str(tmp_path)


def test_a_cluster_that_is_not_there_is_an_error_and_ends_in_time(tmp_path: Path) -> None:
    began = time.monotonic()
    code, found, _ = run_doctor("--storage", tmp_path, "--timeout", 4, RAY_ADDRESS="127.0.0.1:1")
    assert time.monotonic() - began < 30
    assert code == 3
    assert found["Ray"].status == "error"
    assert "RAY_ADDRESS" in str(found["Ray"].remedy)


def test_storage_must_be_a_folder() -> None:
    with pytest.raises(InputError, match="s3://bucket"):
        diagnose(storage="s3://bucket/runs")  # type: ignore[arg-type]


def test_what_is_not_ok_needs_a_remedy() -> None:
    with pytest.raises(ValueError, match="remedy"):
        Finding("disk", "error", "full")


def by_topic(storage: Path) -> Mapping[str, Finding]:
    return {finding.topic: finding for finding in folders.findings(storage)}


def test_a_storage_that_does_not_exist_yet_is_fine(tmp_path: Path) -> None:
    finding = by_topic(tmp_path / "a" / "b")["storage"]
    assert finding.status == "ok"
    assert "made when needed" in finding.value


def test_a_storage_below_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert by_topic(tmp_path / "file" / "runs")["storage"].status == "error"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_storage_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    finding = by_topic(tmp_path)["storage"]
    tmp_path.chmod(0o700)
    assert finding.status == "error"


def test_a_cache_open_to_others_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o755)
    monkeypatch.setenv("BERTSWEEP_CACHE", str(cache))
    finding = by_topic(tmp_path)["cache"]
    assert finding.status == "warning"
    assert f"chmod 700 {cache}" in str(finding.remedy)


def test_a_cache_that_cannot_be_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BERTSWEEP_CACHE", str(tmp_path / "file" / "cache"))
    assert by_topic(tmp_path)["cache"].status == "error"


def test_the_cache_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTSWEEP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "deep").mkdir(mode=0o700, parents=True)
    (tmp_path / "cache").chmod(0o700)
    with (tmp_path / "cache" / "deep" / "file").open("wb") as file:
        file.truncate(250_000_000)
    assert "0.25 GB" in by_topic(tmp_path)["cache"].value


def login() -> Finding:
    return next(iter(machine.login()))


@pytest.fixture
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return tmp_path / "netrc"


def test_without_a_key_runs_stay_offline(no_key: Path) -> None:
    assert login().status == "warning"
    assert "WANDB_API_KEY" in str(login().remedy)


def test_without_a_key_and_offline_on_purpose_is_fine(
    no_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert login().status == "ok"


def test_a_login_is_found_for_the_server_in_use(
    no_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_key.write_text("machine wandb.example.org\n  login user\n  password s3cret\n")
    no_key.chmod(0o600)
    assert login().status == "warning"
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert login().status == "ok"
    assert "s3cret" not in str(login())


def test_a_broken_netrc_is_no_login(no_key: Path) -> None:
    no_key.write_text("machine machine machine")
    assert login().status == "warning"


def test_versions_name_what_is_missing_and_what_is_too_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    required = ["no-such-package-of-ours", "numpy>=999", "pytest>=1", 'ray>=999; extra == "gpu"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: required)
    found = {finding.topic: finding for finding in versions.findings()}
    missing, old = found["no-such-package-of-ours"], found["numpy"]
    assert (missing.status, missing.value) == ("error", "not installed")
    assert old.status == "error"
    assert ">=999 must hold" in old.value
    assert found["ray"].status == "ok", "what an extra asks for is not required"
    assert "pytest" not in found, "what is right is shown of the stack alone"


def asked(
    ray: str, tensorflow: str, *, address: str | None = None, timeout: float = 20
) -> Mapping[str, Finding]:
    """What comes of probes that run this Python code."""

    def probe(code: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-S", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    probes = processes.Probes(ray=probe(ray), tensorflow=probe(tensorflow), address=address)
    with probes:
        return {finding.topic: finding for finding in probes.findings(timeout=timeout)}


def says(**answer: object) -> str:
    return f"print({json.dumps(answer)!r})"


RAY = says(nodes=1, cpus=8.0, gpus=0.0, accelerators=[])
TENSORFLOW = says(gpus=[], device="CPU:0")


@pytest.fixture
def _l4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver's tool that lists one GPU."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho NVIDIA L4\n")
    tool.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


@pytest.mark.usefixtures("_l4")
def test_a_gpu_that_ray_or_tensorflow_does_not_see_is_a_warning() -> None:
    found = asked(RAY, TENSORFLOW)
    assert found["GPU driver"].value == "NVIDIA L4"
    assert found["TensorFlow"].status == "warning"
    assert "bertsweep[gpu]" in str(found["TensorFlow"].remedy)
    assert found["Ray"].status == "warning"
    assert "CUDA_VISIBLE_DEVICES" in str(found["Ray"].remedy)


@pytest.mark.usefixtures("_l4")
def test_gpus_that_are_seen_are_counted() -> None:
    found = asked(
        says(nodes=2, cpus=8.0, gpus=2.0, accelerators=["L4", "L4"]),
        says(gpus=["NVIDIA L4", "NVIDIA L4"], device="GPU:0"),
    )
    assert found["TensorFlow"] == Finding("TensorFlow", "ok", "2 x NVIDIA L4")
    assert found["Ray"] == Finding("Ray", "ok", "2 nodes, 8 CPUs, 2 GPUs (2 x L4)")


def test_a_probe_that_fails_is_an_error_in_its_last_words() -> None:
    found = asked("raise SystemExit('no memory left')", "import time; time.sleep(60)", timeout=2)
    assert (found["Ray"].status, found["Ray"].value) == ("error", "no memory left")
    assert (found["TensorFlow"].status, found["TensorFlow"].value) == ("error", "no answer in time")


def test_a_ray_client_address_is_refused_with_another_way() -> None:
    finding = asked(RAY, TENSORFLOW, address="ray://head:10001")["RAY_ADDRESS"]
    assert finding.status == "error"
    assert "ray job submit" in str(finding.remedy)


def test_an_error_exits_3_and_the_table_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import bertsweep.cli.doctor as verb

    broken = Finding("disk of cache", "error", "0.1 GB free", "Free some.")
    monkeypatch.setattr(verb, "diagnose", lambda **_: [Finding("python", "ok", "3.11"), broken])
    done = cli("doctor", "--storage", tmp_path)
    assert done.code == 3
    assert "disk of cache: Free some." in done.out
    assert "Traceback" not in done.err
