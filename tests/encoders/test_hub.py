"""SavedModels that are not what they should be, and archives that mean harm."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertsweep.download import archive
from bertsweep.encoders import EncoderConfig, prepare_encoder, tiny
from bertsweep.encoders.hub import cached_by_hub, compressed
from bertsweep.encoders.variables import shapes
from bertsweep.errors import EncoderError
from bertsweep.spec.models import Encoder
from tests.support.hubmodule import write_hub_module

WORDS = tiny.vocabulary()[:300]


def convert(model: Path, out: Path, *, lowercase: bool | None = None) -> Any:
    """The conversion, in this process, which has TensorFlow already."""
    from bertsweep.encoders import convert as module

    out.mkdir()
    return module.convert(model, out, lowercase=lowercase, source="module")


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "module"
    return write_hub_module(
        folder, WORDS, activation="relu", do_lower_case=False, seed=3, num_hidden_layers=1
    )


def test_relu_and_cased_are_found(module: Path, tmp_path: Path) -> None:
    prepared = convert(module, tmp_path / "out")
    assert prepared.config.activation == "relu"
    assert not prepared.lowercase


def save(folder: Path, variables: dict[str, Any]) -> Path:
    """A SavedModel with these variables that is called like a BERT and always answers 0.5."""
    import tensorflow as tf

    names = ("input_word_ids", "input_mask", "input_type_ids")

    @tf.function(input_signature=[{name: tf.TensorSpec([None, None], tf.int32) for name in names}])
    def call(inputs: Any) -> Any:
        rows = tf.shape(inputs["input_mask"])[0]
        return {"pooled_output": tf.ensure_shape(tf.fill([rows, 8], 0.5), [None, 8])}

    made = tf.train.Checkpoint(
        variables=[tf.Variable(value, name=name) for name, value in variables.items()]
    )
    made.__call__ = call
    tf.saved_model.save(made, str(folder))
    return folder


def bert_variables() -> dict[str, Any]:
    config = EncoderConfig(
        vocab_size=20,
        hidden_size=8,
        num_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        type_vocab_size=2,
        activation="gelu",
        dropout=0.1,
        attention_dropout=0.1,
    )
    return {name: np.zeros(shape, np.float32) for name, shape in shapes(config).items()}


def test_another_computation_is_not_taken_for_bert(tmp_path: Path) -> None:
    module = save(tmp_path / "module", bert_variables())
    with pytest.raises(EncoderError, match=r"must agree with the module's own to 0\.0001"):
        convert(module, tmp_path / "out")


def test_projected_embeddings_are_refused(tmp_path: Path) -> None:
    more = {"embedding_projection/kernel": np.zeros((4, 8), np.float32)}
    module = save(tmp_path / "module", bert_variables() | more)
    with pytest.raises(EncoderError, match=r"projected \(ALBERT"):
        convert(module, tmp_path / "out")


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    variables = bert_variables()
    del variables["pooler_transform/bias"]
    with pytest.raises(EncoderError, match="lacks pooler_transform/bias"):
        convert(save(tmp_path / "module", variables), tmp_path / "out")


def test_something_else_says_what_it_has(tmp_path: Path) -> None:
    module = save(tmp_path / "module", {"weight": np.zeros(3, np.float32)})
    with pytest.raises(EncoderError, match="must be a BERT encoder of TensorFlow 2"):
        convert(module, tmp_path / "out")


def test_damage_is_said(module: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes((module / "saved_model.pb").read_bytes())
    with pytest.raises(EncoderError, match="cannot be loaded"):
        convert(broken, tmp_path / "out")


def test_the_process_gives_its_message_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"not a model")
    with pytest.raises(EncoderError, match="cannot be loaded") as caught:
        prepare_encoder(Encoder(source=str(tmp_path / "model")), cache=tmp_path / "c", base=Path())
    assert "Traceback" not in str(caught.value)


def test_a_process_that_dies_leaves_its_last_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"")
    dying = tmp_path / "dying-python"
    dying.write_text("#!/bin/sh\necho out of memory >&2\nexit 9\n")
    dying.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(dying))
    with pytest.raises(EncoderError, match=r"exit code 9(.|\n)*out of memory"):
        prepare_encoder(Encoder(source=str(tmp_path / "model")), cache=tmp_path / "c", base=Path())


def test_tensorflow_hubs_own_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = "https://example.invalid/bert/1"
    assert cached_by_hub(handle) is None
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    assert cached_by_hub(handle) is None
    from tensorflow_hub.compressed_module_resolver import _module_dir

    folder = Path(_module_dir(handle))
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").touch()
    assert cached_by_hub(handle) == folder


def test_handle_is_asked_for_compressed() -> None:
    assert compressed("https://host/bert/4") == "https://host/bert/4?tf-hub-format=compressed"
    assert compressed("https://host/b?a=1") == "https://host/b?a=1&tf-hub-format=compressed"


def packed(tmp_path: Path, *members: tarfile.TarInfo | str) -> Path:
    path = tmp_path / "bad.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = 4 if info.isreg() else 0
            tar.addfile(info, io.BytesIO(b"text") if info.isreg() else None)
    return path


def link(kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo("link")
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "member",
    [
        "../outside",
        "/tmp/outside",
        "inside/../../outside",
        link(tarfile.SYMTYPE, "/etc"),
        link(tarfile.LNKTYPE, "saved_model.pb"),
        link(tarfile.FIFOTYPE, ""),
    ],
)
def test_archives_write_plain_files_inside_only(
    member: tarfile.TarInfo | str, tmp_path: Path
) -> None:
    bad = packed(tmp_path, "saved_model.pb", member)
    (tmp_path / "out").mkdir()
    with pytest.raises(EncoderError, match=r"leads out|link or a device"):
        archive.unpack(bad, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "bad.tar.gz",
        "out",
        "saved_model.pb",
    ]


def test_archives_are_bounded_and_whole(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    good = packed(tmp_path, "a", "b")
    with pytest.raises(EncoderError, match="unpack to at most"):
        archive.unpack(good, tmp_path / "out", max_bytes=7)
    good.write_bytes(good.read_bytes()[:-20])
    with pytest.raises(EncoderError, match=r"whole tar\.gz"):
        archive.unpack(good, tmp_path / "out")
