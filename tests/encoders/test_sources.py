"""What holds for an encoder from every kind of source, and what the built-in one is."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Literal

import numpy as np
import pytest
from safetensors.numpy import load_file

from bertsweep.download.transfer import without_secrets
from bertsweep.encoders import PreparedEncoder, prepare_encoder, tiny
from bertsweep.encoders.checkpoint import CheckpointFolder
from bertsweep.encoders.hub import HubArchive, HubHandle
from bertsweep.encoders.hub_model import HubModel
from bertsweep.encoders.huggingface import HuggingFaceFolder
from bertsweep.encoders.savedmodel import SavedModelFolder
from bertsweep.encoders.sources import Source, locate
from bertsweep.encoders.store import Store
from bertsweep.encoders.tiny import BuiltinTiny
from bertsweep.encoders.variables import shapes
from bertsweep.errors import BertsweepError, DownloadError, EncoderError
from bertsweep.spec.models import Encoder
from bertsweep.vocabulary import read_vocabulary
from tests.support.hfmodel import CONFIG, write_folder
from tests.support.hubmodule import tar_gz, write_hub_module
from tests.support.modelhub import ModelHub
from tests.support.originalbert import write_original

WORDS = tiny.vocabulary()[:300]
SECRET = "s3cret"


def batch(prepared: PreparedEncoder) -> dict[str, Any]:
    ids = np.arange(24, dtype=np.int32).reshape(3, 8) % prepared.config.vocab_size
    mask = np.array([[1] * 8, [1] * 5 + [0] * 3, [1] * 2 + [0] * 6], np.int32)
    return {"input_word_ids": ids, "input_mask": mask, "input_type_ids": 0 * ids}


@contextlib.contextmanager
def converting_here() -> Iterator[None]:
    """Converts SavedModels in this process, which has TensorFlow already: ten seconds less each.

    `TestSavedModel` keeps the process of its own that users have.
    """

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        from bertsweep.encoders.convert import main

        return subprocess.CompletedProcess(command, main(command[3:]), b"")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "run", run)
        yield


class SourceContract:
    """What holds for every kind of source; a kind has fixtures for what a user types.

    `source` is the source, all of which lower-case their text, `lowercase` the key beside it, and
    `place` the cache that it was prepared in, once a kind.
    """

    kind: type[Source]
    lowercase: bool | Literal["auto"] = "auto"

    @pytest.fixture(scope="class")
    @classmethod
    def place(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("place")

    @pytest.fixture(scope="class")
    @classmethod
    def prepared(cls, source: str, place: Path) -> PreparedEncoder:
        with converting_here():
            return cls.prepare(place, source)

    @classmethod
    def prepare(cls, place: Path, source: str, *mirrors: str) -> PreparedEncoder:
        encoder = Encoder(source=source, mirrors=mirrors, lowercase=cls.lowercase)
        return prepare_encoder(encoder, cache=place, base=Path())

    def test_is_recognised(self, source: str, place: Path) -> None:
        found = [locate(source, store=Store(place), base=Path()) for _ in range(2)]
        assert [type(one) for one in found] == [self.kind] * 2
        assert found[0].key() == found[1].key()

    def test_is_whole_and_says_where_from(self, prepared: PreparedEncoder, source: str) -> None:
        assert prepared.source == without_secrets(source)
        assert PreparedEncoder.open(prepared.folder).hash == prepared.hash == prepared.folder.name
        weights = load_file(prepared.weights)
        assert {name: array.shape for name, array in weights.items()} == shapes(prepared.config)
        assert all(array.dtype == np.float32 for array in weights.values())
        tokens = read_vocabulary(prepared.vocabulary)
        assert len(tokens) == prepared.config.vocab_size
        assert {"[PAD]", "[UNK]", "[CLS]", "[SEP]"} <= set(tokens)

    def test_is_private_and_leaves_nothing_else(
        self, prepared: PreparedEncoder, place: Path
    ) -> None:
        assert prepared.folder.stat().st_mode & 0o077 == 0
        assert prepared.folder.parent.stat().st_mode & 0o077 == 0
        assert not list((place / "encoders").glob(".new-*"))

    def test_second_time_only_opens(
        self, prepared: PreparedEncoder, source: str, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
        monkeypatch.setattr(subprocess, "run", None)
        assert self.prepare(place, source) == prepared
        assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before

    def test_opens_as_a_mirror_without_trying_the_source(
        self, prepared: PreparedEncoder, source: str, place: Path
    ) -> None:
        assert self.prepare(place, "http://127.0.0.1:9/gone", source) == prepared

    def test_casing_is_what_was_told_else_what_was_found(self, prepared: PreparedEncoder) -> None:
        assert prepared.lowercase is (True if self.lowercase == "auto" else self.lowercase)

    def test_no_secret_of_its_address_is_kept(self, prepared: PreparedEncoder, place: Path) -> None:
        for path in place.rglob("*"):
            assert SECRET not in str(path)
            assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path

    def test_native_encoder_has_every_weight(self, prepared: PreparedEncoder) -> None:
        from bertsweep.encoders import native

        encoder = native.build(prepared)
        weights = load_file(prepared.weights)
        named = native.variable_names(encoder)
        assert list(named) == list(shapes(prepared.config))
        for name, variable in named.items():
            np.testing.assert_array_equal(variable.numpy(), weights[name])
        pooled = encoder(batch(prepared), training=False)["pooled_output"].numpy()
        assert pooled.shape == (3, prepared.config.hidden_size)
        assert np.isfinite(pooled).all()


class OnDisk(SourceContract):
    """What also holds for sources on this machine."""

    def test_a_changed_file_makes_it_another_source(self, source: str, place: Path) -> None:
        path = Path(source)
        file = path if path.is_file() else next(p for p in sorted(path.rglob("*")) if p.is_file())
        before, status = self.key(source, place), file.stat()
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
        assert self.key(source, place) != before
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert self.key(source, place) == before

    @staticmethod
    def key(source: str, place: Path) -> str:
        return locate(source, store=Store(place), base=Path()).key()


class TestBuiltin(SourceContract):
    kind = BuiltinTiny

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> str:
        return "builtin:tiny"


class TestHuggingFace(OnDisk):
    kind = HuggingFaceFolder
    lowercase = False

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tmp_path_factory: pytest.TempPathFactory) -> str:
        return str(write_folder(tmp_path_factory.mktemp("hf") / "model"))


class TestCheckpoint(OnDisk):
    kind = CheckpointFolder
    lowercase = False

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tmp_path_factory: pytest.TempPathFactory) -> str:
        return str(write_original(tmp_path_factory.mktemp("google") / "model"))

    def test_is_the_hugging_face_model_but_for_its_gelu(
        self, prepared: PreparedEncoder, tmp_path: Path
    ) -> None:
        config = {**CONFIG, "hidden_act": "gelu_new"}
        folder = write_folder(tmp_path / "model", config=config)
        assert prepared.hash == self.prepare(tmp_path, str(folder)).hash

    @pytest.mark.parametrize(
        ("file", "says"),
        [
            ("vocab.txt", "must hold the checkpoint's vocab.txt"),
            ("bert_model.ckpt.index", "must hold one checkpoint"),
            ("bert_model.ckpt.data-00000-of-00001", "cannot be read"),
        ],
    )
    def test_what_is_missing_is_named(self, file: str, says: str, tmp_path: Path) -> None:
        folder = write_original(tmp_path / "model")
        (folder / file).unlink()
        with pytest.raises(EncoderError, match=says), converting_here():
            self.prepare(tmp_path, str(folder))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelHub]:
    with ModelHub.serving(write_folder(tmp_path_factory.mktemp("hf") / "model")) as hub:
        yield hub


class TestHubModel(SourceContract):
    kind = HubModel
    lowercase = False

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def endpoint(cls, hub: ModelHub) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HF_ENDPOINT", hub.address)
            yield

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, endpoint: None) -> str:
        return "hf://someone/tiny-bert"

    def test_only_what_an_encoder_needs_is_fetched(
        self, prepared: PreparedEncoder, hub: ModelHub
    ) -> None:
        asked = {path.rpartition("/")[2] for path in hub.asked if "/resolve/" in path}
        assert asked == {"config.json", "model.safetensors", "vocab.txt"}

    def test_a_revision_is_asked_for(self, hub: ModelHub, tmp_path: Path) -> None:
        self.prepare(tmp_path, "hf://someone/tiny-bert@v2")
        assert any(path.endswith("/revision/v2") for path in hub.asked)

    def test_what_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(EncoderError, match="there is no hf://someone/else for you"):
            self.prepare(tmp_path, "hf://someone/else")
        with pytest.raises(EncoderError, match="a model of the Hub is hf://owner/name"):
            self.prepare(tmp_path, "hf://tiny-bert")

    def test_without_a_network_it_says_what_to_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        with pytest.raises(DownloadError, match="hf download someone/tiny-bert --local-dir"):
            self.prepare(tmp_path, "hf://someone/tiny-bert")


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TF Hub module, unpacked."""
    return write_hub_module(tmp_path_factory.mktemp("hub") / "module", WORDS)


class TestSavedModel(OnDisk):
    kind = SavedModelFolder
    lowercase = False

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, module: Path) -> str:
        return str(module)

    @pytest.fixture(scope="class")
    @classmethod
    def prepared(cls, source: str, place: Path) -> PreparedEncoder:
        return cls.prepare(place, source)

    def test_sizes_and_activation_are_found(self, prepared: PreparedEncoder) -> None:
        config = prepared.config
        assert (config.hidden_size, config.num_layers, config.num_attention_heads) == (32, 2, 2)
        assert (config.intermediate_size, config.max_position_embeddings) == (64, 64)
        assert config.activation == "gelu_tanh"

    def test_pooled_output_is_the_modules_own(
        self, prepared: PreparedEncoder, module: Path
    ) -> None:
        import tensorflow as tf

        from bertsweep.encoders import native

        inputs = {name: tf.constant(array) for name, array in batch(prepared).items()}
        truth = tf.saved_model.load(str(module))(inputs, training=False)["pooled_output"]
        ours = native.build(prepared)(inputs, training=False)["pooled_output"]
        np.testing.assert_allclose(ours.numpy(), truth.numpy(), atol=1e-5)


class TestArchive(OnDisk):
    kind = HubArchive

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, module: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
        path = tmp_path_factory.mktemp("archive") / "bert.tar.gz"
        path.write_bytes(tar_gz(module))
        return str(path)


class Site:
    """A web server on loopback with one archive, which it gives like TF Hub, and a list of asks."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        site = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                super().do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
        Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def site(module: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("site")
    (folder / "bert").write_bytes(tar_gz(module))
    (folder / "page").write_text("<html>Sign in</html>")
    site = Site(folder)
    yield site
    site.stop()


class TestHubHandle(SourceContract):
    kind = HubHandle

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, site: Site) -> str:
        return site.address.replace("//", f"//me:{SECRET}@") + f"/bert?token={SECRET}"

    def test_was_fetched_once_the_way_of_tf_hub(
        self, prepared: PreparedEncoder, site: Site
    ) -> None:
        asked = [path for path in site.asked if path.startswith("/bert")]
        assert asked == [f"/bert?token={SECRET}&tf-hub-format=compressed"]

    def test_every_failure_is_listed(self, site: Site, tmp_path: Path) -> None:
        encoder = Encoder(source=f"{site.address}/absent", mirrors=(f"{site.address}/page", "no"))
        with pytest.raises(EncoderError, match="none of the 3 places") as caught:
            prepare_encoder(encoder, cache=tmp_path, base=Path())
        text = str(caught.value)
        assert "/absent: " in text
        assert "404" in text
        assert "/page: " in text
        assert "whole tar.gz" in text
        assert "no: " in text

    def test_network_alone_is_a_download_error(self, site: Site, tmp_path: Path) -> None:
        absent = (f"{site.address}/absent", f"{site.address}/gone")
        encoder = Encoder(source=absent[0], mirrors=absent[1:])
        with pytest.raises(DownloadError, match="none of the 2 places"):
            prepare_encoder(encoder, cache=tmp_path, base=Path())

    def test_a_page_is_fetched_anew_the_next_time(self, site: Site, tmp_path: Path) -> None:
        encoder = Encoder(source=f"{site.address}/page")
        before = len(site.asked)
        for _ in range(2):
            with pytest.raises(EncoderError, match="not one"):
                prepare_encoder(encoder, cache=tmp_path, base=Path())
        assert len(site.asked) == before + 2


def test_preparing_imports_no_tensorflow(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model")
    code = (
        "import sys; from pathlib import Path; from bertsweep.encoders import prepare_encoder;"
        "from bertsweep.spec.models import Encoder\n"
        "for source in sys.argv[2:]:\n"
        "    prepare_encoder(Encoder(source=source), cache=Path(sys.argv[1]), base=Path())\n"
        "assert not {'tensorflow', 'tf_keras', 'tokenizers', 'ray', 'pandas'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "cache"), "builtin:tiny", str(folder)],
        check=True,
    )


def test_builtin_is_the_same_everywhere_and_knows_the_built_in_words(tmp_path: Path) -> None:
    from bertsweep.data.builtin import words

    sources = Encoder(source="builtin:tiny")
    one, two = (prepare_encoder(sources, cache=tmp_path / n, base=Path()) for n in "ab")
    assert one.hash == two.hash
    assert one.weights.read_bytes() == two.weights.read_bytes()
    assert one.lowercase
    assert set(words()) <= set(tiny.vocabulary())
    printable = {chr(code) for code in range(33, 127)}
    assert printable | {f"##{c}" for c in printable} <= set(tiny.vocabulary())
    assert len(set(tiny.vocabulary())) == len(tiny.vocabulary())


def test_casing_can_be_overruled(tmp_path: Path) -> None:
    found = prepare_encoder(Encoder(source="builtin:tiny"), cache=tmp_path, base=Path())
    told = prepare_encoder(
        Encoder(source="builtin:tiny", lowercase=False), cache=tmp_path, base=Path()
    )
    assert found.lowercase
    assert not told.lowercase
    assert found.hash != told.hash


def test_relative_folders_are_looked_for_here_then_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "there" / "model")
    prepared = prepare_encoder(
        Encoder(source="model"), cache=tmp_path / "c", base=tmp_path / "there"
    )
    assert prepared.config.num_layers == 2


def test_a_damaged_file_of_the_cache_is_noticed_and_made_again(tmp_path: Path) -> None:
    from bertsweep.encoders import native

    said: list[str] = []

    def prepared() -> PreparedEncoder:
        encoder = Encoder(source="builtin:tiny")
        return prepare_encoder(encoder, cache=tmp_path, base=Path(), notify=said.append)

    first = prepared()
    content = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    assert set(content) == {"encoder.json", "vocab.txt", "weights.safetensors"}
    for name, whole in content.items():
        for damaged in (whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], whole[:-9], None):
            path = first.folder / name
            path.unlink() if damaged is None else path.write_bytes(damaged)
            with pytest.raises(EncoderError, match=f"{name} is .*it will be made again"):
                native.build(
                    first if name != "encoder.json" else PreparedEncoder.open(first.folder)
                )
            assert prepared() == first
            assert f"the prepared encoder {first.folder} is made again: {name} is" in said.pop()
            assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == content
    prepared()
    assert said == []


def test_an_encoder_from_before_checksums_is_used_and_checked_by_its_hash(tmp_path: Path) -> None:
    said: list[str] = []

    def prepared() -> PreparedEncoder:
        encoder = Encoder(source="builtin:tiny")
        return prepare_encoder(encoder, cache=tmp_path, base=Path(), notify=said.append)

    folder = prepared().folder
    record = json.loads((folder / "encoder.json").read_text())
    del record["files"], record["checksum"]
    (folder / "encoder.json").write_text(json.dumps(record, indent=2) + "\n")
    assert prepared().files == {}
    assert said == []
    weights = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    assert prepared().files != {}
    assert "its content is not what its hash says" in said.pop()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("builtin:small", "Type builtin:tiny"),
        ("no/such/folder", "there is no 'no/such/folder'"),
        ("gs://bucket/bert", "Copy it to a folder"),
        (".", "saved_model.pb"),
    ],
)
def test_a_wrong_source_says_what_to_type(
    source: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(BertsweepError, match=says) as caught:
        prepare_encoder(Encoder(source=source), cache=tmp_path / "cache", base=tmp_path)
    assert caught.value.exit_code == 2


def test_absolute_paths_hold_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bertsweep.encoders.sources import absolute

    here, base = tmp_path / "here", tmp_path / "base"
    for folder in (here / "a", here / "both", base / "b", base / "both"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    mirrors = ("a", "b", "both", "gone", "https://host/bert", str(base / "b"))
    settled = absolute(Encoder(source="b", mirrors=mirrors), Path("../base"))
    monkeypatch.chdir(tmp_path)
    assert Path(settled.source).resolve() == base / "b"
    assert [m if "://" in m else str(Path(m).resolve()) for m in settled.mirrors] == [
        *map(str, (here / "a", base / "b", here / "both", base / "gone")),
        "https://host/bert",
        str(base / "b"),
    ]
    builtin = Encoder(source="builtin:tiny")
    assert absolute(builtin, base) == builtin
