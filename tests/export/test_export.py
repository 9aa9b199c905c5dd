"""The contract of every format: loaded again elsewhere, it answers as its checkpoint does."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from bertsweep import checkpoints
from bertsweep import export as exports
from bertsweep.checkpoints import Checkpoint, EncoderRecord
from bertsweep.data import builtin
from bertsweep.encoders import prepare_encoder
from bertsweep.errors import ExportError, InputError, MissingPackageError
from bertsweep.export import (
    FORMATS,
    checking,
    export,
    hard_rows,
    huggingface_reading,
    made,
    onnx_model,
)
from bertsweep.export.checking import Checker
from bertsweep.export.formats import Format, installed
from bertsweep.export.standalone import reload
from bertsweep.export.subject import Subject, in_float32
from bertsweep.predict import Predictor
from bertsweep.spec.models import Encoder
from tests.support.checkpoints import record
from tests.support.robertas import FAMILIES, write_model

pytestmark = pytest.mark.slow

ROWS = builtin.questions()[0][:90]


@pytest.fixture(scope="module")
def exported(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("exported") / "all"
    # The others take half a minute of imports in their fresh processes.
    formats = ["savedmodel", "onnx"]
    evidence = {"score": 0.61, "interval": (0.58, 0.64), "language": "en"}
    return folder, export(checkpoint, folder, formats, rows=ROWS, evidence=evidence)


def test_every_format_passes(checkpoint: Checkpoint, tmp_path: Path) -> None:
    document = export(checkpoint, tmp_path / "all", rows=ROWS)
    assert list(document["exports"]) == list(FORMATS)
    loaded_with = {name: check["checked_with"] for name, check in document["exports"].items()}
    assert loaded_with["keras"] == "tf_keras and official"
    summary = (tmp_path / "all" / "keras" / "summary.txt").read_text()
    assert "bert_encoder" in summary
    # Drawn where graphviz is there, else said not to be.
    drawn = (tmp_path / "all" / "keras" / "model.png").is_file()
    assert drawn is (installed("pydot") and shutil.which("dot") is not None)
    assert drawn is ("There is no model.png" not in summary)


def test_another_epsilon_is_carried_or_refused(
    write: Callable[..., Checkpoint], tmp_path: Path
) -> None:
    checkpoint = write(epsilon=1e-3)
    with pytest.raises(InputError, match="layer_norm_eps of 1e-12 only"):
        export(checkpoint, tmp_path / "all", rows=ROWS)
    export(checkpoint, tmp_path / "some", ["savedmodel", "huggingface", "onnx"], rows=ROWS)
    config = json.loads((tmp_path / "some" / "huggingface" / "config.json").read_text())
    assert config["layer_norm_eps"] == 1e-3


def test_each_format_was_compared_on_every_row(exported: tuple[Path, Any]) -> None:
    folder, document = exported
    assert document == json.loads((folder / "metrics.json").read_text())
    for name, check in document["exports"].items():
        assert check["max_difference"] <= FORMATS[name].tolerance
        assert check["rows"] == len(ROWS) + len(hard_rows(pair=False))
    assert document["precision"]["checkpoint"] == "mixed_bfloat16"
    assert 0.9 < document["precision"]["label_agreement"] <= 1


def test_only_the_folder_appears(exported: tuple[Path, Any]) -> None:
    folder, _ = exported
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert {path.name for path in folder.iterdir()} == {
        *("README.md", "metrics.json", "savedmodel", "onnx")
    }


def test_a_saved_model_answers_any_batch_with_the_label_of_the_threshold(
    exported: tuple[Path, Any], checkpoint: Checkpoint
) -> None:
    import tensorflow as tf

    model = tf.saved_model.load(str(exported[0] / "savedmodel"))
    serve = model.signatures["serving_default"]
    wanted = Predictor(in_float32(checkpoint)).predict(ROWS)
    for count in (0, 1, 7, len(ROWS)):
        answer = serve(text=tf.constant(ROWS[:count], tf.string))
        assert answer["label"].numpy().tolist() == [p.label for p in wanted[:count]]
        np.testing.assert_allclose(
            answer["probability"].numpy(), [p.probability for p in wanted[:count]], atol=1e-5
        )
    assert serve(text=tf.constant([b"no \xff UTF-8"]))["probabilities"].shape == (1, 2)


def test_a_saved_model_has_the_form_that_tensorflow_serving_asks_for(
    exported: tuple[Path, Any],
) -> None:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel()
    model.ParseFromString((exported[0] / "savedmodel" / "saved_model.pb").read_bytes())
    (graph,) = model.meta_graphs
    assert list(graph.meta_info_def.tags) == ["serve"]
    served = graph.signature_def["serving_default"]
    assert served.method_name == "tensorflow/serving/predict"
    assert list(served.inputs) == ["text"]
    assert set(served.outputs) == {"label", "probability", "probabilities"}
    # REST's row format wants the rows first in each, and their number open.
    for tensor in (*served.inputs.values(), *served.outputs.values()):
        assert not tensor.tensor_shape.unknown_rank
        assert tensor.tensor_shape.dim[0].size == -1


def test_the_card_tells_what_is_known_and_what_is_not(exported: tuple[Path, Any]) -> None:
    folder, document = exported
    card = (folder / "README.md").read_text()
    _, head, body = card.split("---\n", 2)
    described = yaml.safe_load(head)
    assert described["pipeline_tag"] == "text-classification"
    assert described["language"] == "en"
    assert described["model-index"][0]["results"][0]["metrics"]
    assert "confirmed score, with fresh seeds: 0.61" in body
    assert "its interval: 0.58 to 0.64" in body
    assert "test split: not measured" in body
    assert f"reaches **{document['threshold']}**" in body
    for name in document["exports"]:
        assert f"### {name}" in body
        own = (folder / name / "README.md").read_text()
        assert re.findall(r"^### (\w+)", own, flags=re.MULTILINE) == [name]


@pytest.mark.parametrize("name", ["onnx", pytest.param("savedmodel", marks=pytest.mark.slow)])
def test_the_code_in_the_card_runs(exported: tuple[Path, Any], name: str) -> None:
    folder, _ = exported
    card = (folder / name / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
    ids = "import numpy as np; ids = np.full((2, 3), 5, np.int32); mask = types = ids // ids\n"
    done = subprocess.run(
        [sys.executable, "-c", ids + code], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "tensor" in done.stdout.lower() or "[[" in done.stdout


def _in_this_process(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
    """Runs the program of a check here, which saves the import of TensorFlow."""
    program = huggingface_reading if command[1] == "-m" else reload
    program.main(command[3:] if program is huggingface_reading else command[2:])
    return subprocess.CompletedProcess(command, 0, "", "")


THREE: dict[str, Any] = {"labels": ("a", "b", "c d"), "threshold": None}
PAIRS: dict[str, Any] = {"labels": (False, True), "text": ("q", "r"), "threshold": 0.4}


def pooling(name: str) -> dict[str, Any]:
    return {"params": {"learning_rate": 1e-3, "max_seq_length": 17, "pooling": name}}


@pytest.mark.parametrize(
    ("changes", "formats"),
    [
        (THREE, ["huggingface", "onnx"]),
        (PAIRS, ["huggingface", "onnx"]),
        pytest.param(THREE, list(FORMATS), marks=pytest.mark.slow),
        pytest.param(PAIRS, list(FORMATS), marks=pytest.mark.slow),
        (pooling("cls"), ["savedmodel", "onnx"]),
        ({**THREE, **pooling("mean")}, ["savedmodel", "onnx"]),
    ],
)
def test_more_classes_and_pairs(
    write: Callable[..., Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    formats: list[str],
) -> None:
    if "keras" not in formats:
        monkeypatch.setattr(checking.subprocess, "run", _in_this_process)
    rows: Any = list(zip(ROWS, ROWS[::-1], strict=True)) if "text" in changes else ROWS
    document = export(write(**changes), tmp_path / "out", formats, rows=rows)
    assert list(document["exports"]) == formats
    assert document["labels"] == list(changes.get("labels", (0, 1)))
    if "huggingface" in formats:
        config = json.loads((tmp_path / "out" / "huggingface" / "config.json").read_text())
        names = {False: "false", True: "true"}
        assert list(config["id2label"].values()) == [names.get(x, x) for x in changes["labels"]]


@pytest.mark.parametrize("family", FAMILIES)
def test_another_tokenizer_is_carried_or_refused(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking.subprocess, "run", _in_this_process)
    source = Encoder(source=str(write_model(family, tmp_path / "model")))
    encoder = prepare_encoder(source, cache=tmp_path / "cache", base=tmp_path)
    weights = {f"encoder/{n}": array for n, array in load_file(encoder.weights).items()}
    weights["head/kernel"] = np.random.default_rng(0).normal(size=(24, 1)).astype(np.float32)
    told = record(
        **PAIRS,
        encoder=EncoderRecord(encoder.config, encoder.lowercase, encoder.hash, encoder.source),
        params={"learning_rate": 1e-3, "max_seq_length": 32},
    )
    folder = checkpoints.write_best(
        tmp_path / "trial",
        told,
        arrays={**weights, "head/bias": np.zeros(1, np.float32)},
        vocabulary=encoder.vocabulary.read_bytes(),
        vocabulary_name=encoder.vocabulary.name,
    )
    checkpoint, rows = Checkpoint.open(folder), list(zip(ROWS, ROWS[::-1], strict=True))
    with pytest.raises(InputError, match=r"word pieces only.* --format: huggingface, onnx$"):
        export(checkpoint, tmp_path / "all", rows=rows)
    export(checkpoint, tmp_path / "out", ["huggingface", "onnx"], rows=rows)
    assert "library's `onnx/tokenizer.json`" in (tmp_path / "out" / "README.md").read_text()
    again = Encoder(source=str(tmp_path / "out" / "huggingface"))
    prepared = prepare_encoder(again, cache=tmp_path / "cache", base=tmp_path)
    assert prepared.hash == encoder.hash


@pytest.mark.parametrize("name", ["cls", "mean"])
def test_a_keras_file_without_the_pooler(
    write: Callable[..., Checkpoint], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking.subprocess, "run", _in_this_process)
    checkpoint = write(**pooling(name))
    subject = Subject.of(checkpoint)
    check = made(FORMATS["keras"], subject, tmp_path / "keras", Checker(checkpoint, subject, ROWS))
    assert check.rows == len(ROWS)


@pytest.mark.parametrize("activation", ["gelu_tanh", "relu"])
def test_other_activations(checkpoint: Checkpoint, activation: Any, tmp_path: Path) -> None:
    import onnxruntime

    from bertsweep.export import keras_model

    encoder = checkpoint.record.encoder
    config = dataclasses.replace(encoder.config, activation=activation)
    record = dataclasses.replace(
        checkpoint.record, encoder=dataclasses.replace(encoder, config=config)
    )
    subject = Subject.of(dataclasses.replace(checkpoint, record=record))
    ids = np.random.default_rng(0).integers(5, 90, (3, 9)).astype(np.int32)
    mask = (np.arange(9) < np.array([[9], [4], [2]])).astype(np.int32)
    inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)}
    session = onnxruntime.InferenceSession(onnx_model.build(subject).SerializeToString())
    (ours,) = session.run(["probabilities"], inputs)
    model = keras_model.build(subject)
    np.testing.assert_allclose(ours[:, 1:], model(inputs).numpy(), atol=1e-5)


def test_what_differs_or_cannot_be_loaded_is_an_error_that_says_so(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    subject = Subject.of(checkpoint)
    checker, form = Checker(checkpoint, subject, ROWS), FORMATS["onnx"]
    assert made(form, subject, tmp_path / "right", checker).max_difference < form.tolerance
    encoder = dict(subject.encoder)
    encoder["pooler_transform/bias"] = encoder["pooler_transform/bias"] + 0.05
    wrong = dataclasses.replace(subject, encoder=encoder)
    with pytest.raises(ExportError, match=r"must agree .* to 0.0001, but differs by .* in row \d+"):
        made(form, wrong, tmp_path / "wrong", checker)
    (tmp_path / "right" / "model.onnx").write_bytes(b"")
    with pytest.raises(ExportError, match="cannot be loaded again"):
        checker.check(form, tmp_path / "right")


def test_mistakes_are_told_before_anything_is_written(
    checkpoint: Checkpoint,
    write: Callable[..., Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InputError, match=r"huggingface can have .* trained with cls. .*, onnx$"):
        export(write(**pooling("cls")), tmp_path / "out", ["onnx", "huggingface"])
    with pytest.raises(InputError, match="but got 'tflite'"):
        export(checkpoint, tmp_path / "out", ["tflite"])
    with pytest.raises(InputError, match="rows must be single texts"):
        export(checkpoint, tmp_path / "out", ["onnx"], rows=[("a", "b")])
    absent = Format("onnx", "ONNX graph", "onnx_model", 1e-4, ("no_such_package",))
    monkeypatch.setitem(exports.FORMATS, "onnx", absent)
    with pytest.raises(MissingPackageError, match=r"no_such_package.*bertsweep\[export\]"):
        export(checkpoint, tmp_path / "out", ["onnx"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    not (installed("torch") and installed("transformers")), reason="needs torch and transformers"
)
def test_transformers_loads_the_hugging_face_folder(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    document = export(checkpoint, folder, ["huggingface"], rows=ROWS)
    assert document["exports"]["huggingface"]["checked_with"] == "transformers and torch"
    code = (
        "import json, sys; from transformers import pipeline\n"
        "classify = pipeline('text-classification', model=sys.argv[1], top_k=None, "
        "truncation=True)\n"
        "print(json.dumps(classify(json.load(sys.stdin))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "huggingface")],
        input=json.dumps(ROWS[:5]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout.splitlines()[-1])
    for answer, wanted in zip(
        answers, Predictor(in_float32(checkpoint)).predict(ROWS[:5]), strict=True
    ):
        told = {each["label"]: each["score"] for each in answer}
        assert told == pytest.approx({str(k): v for k, v in wanted.probabilities.items()}, abs=1e-4)


def test_the_reloading_program_imports_nothing_of_bertsweep() -> None:
    source = Path(checking._RELOAD).read_text()
    assert not re.search(r"^\s*(from|import) bertsweep", source, flags=re.MULTILINE)
