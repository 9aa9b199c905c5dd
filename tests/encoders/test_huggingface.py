"""Hugging Face folders: the numbers they mean, the variants they come in, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertsweep.encoders import PreparedEncoder, families, prepare_encoder
from bertsweep.errors import EncoderError
from bertsweep.spec.models import Encoder
from tests.support.hfmodel import CONFIG, VOCABULARY, Tensors, pooled, tensors, write_folder


def prepared(folder: Path) -> PreparedEncoder:
    cache = folder.parent / "cache"
    return prepare_encoder(Encoder(source=str(folder)), cache=cache, base=Path())


def native_pooled(encoder: PreparedEncoder, ids: Any, mask: Any, types: Any) -> Any:
    from bertsweep.encoders import native

    inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}
    return native.build(encoder)(inputs, training=False)["pooled_output"].numpy()


def rows(vocab_size: int, width: int) -> tuple[Any, Any, Any]:
    random = np.random.RandomState(1)
    mask = (np.arange(width) < np.array([[width], [width // 2], [2]])).astype(np.int32)
    ids = random.randint(0, vocab_size, (3, width)).astype(np.int32) * mask
    types = (np.arange(width) > width // 3).astype(np.int32) * mask
    return ids, mask, types


@pytest.mark.parametrize(
    ("activation", "epsilon"),
    [("gelu", 1e-12), ("gelu_new", 1e-12), ("relu", 1e-12), ("gelu", 0.1)],
)
def test_pooled_output_is_that_of_bert_written_down_plainly(
    activation: str, epsilon: float, tmp_path: Path
) -> None:
    config = CONFIG | {"hidden_act": activation, "layer_norm_eps": epsilon}
    weights = tensors(config)
    folder = write_folder(tmp_path / "model", config=config, weights=weights)
    batch = rows(config["vocab_size"], 12)
    ours = native_pooled(prepared(folder), *batch)
    np.testing.assert_allclose(ours, pooled(weights, config, *batch), atol=2e-6)


@pytest.mark.real
def test_real_minilm_computes_what_its_weights_mean(minilm: Path) -> None:
    config = json.loads((minilm / "config.json").read_text())
    encoder = prepared(minilm)
    batch = rows(config["vocab_size"], 24)
    truth = pooled(load_file(minilm / "model.safetensors"), config, *batch)
    np.testing.assert_allclose(native_pooled(encoder, *batch), truth, atol=1e-5)
    assert encoder.lowercase
    assert encoder.notes == ()
    assert encoder.config.max_position_embeddings == 512


def with_prefix(weights: Tensors) -> Tensors:
    return {f"bert.{name}": array for name, array in weights.items()}


def with_old_names(weights: Tensors) -> Tensors:
    names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    renamed = {}
    for name, array in weights.items():
        for new, old in names.items():
            name = name.replace(new, old)
        renamed[name] = array
    return renamed


def with_extras(weights: Tensors) -> Tensors:
    return weights | {
        "embeddings.position_ids": np.arange(32, dtype=np.int64)[None],
        "cls.predictions.bias": np.zeros(5, np.float32),
    }


@pytest.mark.parametrize("variant", [with_prefix, with_old_names, with_extras])
def test_variants_give_the_same_encoder(
    variant: Callable[[Tensors], Tensors], tmp_path: Path
) -> None:
    plain = prepared(write_folder(tmp_path / "a" / "model"))
    other = prepared(write_folder(tmp_path / "b" / "model", weights=variant(tensors())))
    assert other.hash == plain.hash


def test_half_precision_is_widened(tmp_path: Path) -> None:
    halves = {name: array.astype(np.float16) for name, array in tensors().items()}
    widened = {name: array.astype(np.float32) for name, array in halves.items()}
    one = prepared(write_folder(tmp_path / "a" / "model", weights=halves))
    two = prepared(write_folder(tmp_path / "b" / "model", weights=widened))
    assert one.hash == two.hash


def test_bfloat16_is_widened_exactly(tmp_path: Path) -> None:
    import ml_dtypes

    halves = {name: array.astype(ml_dtypes.bfloat16) for name, array in tensors().items()}
    widened = {name: array.astype(np.float32) for name, array in halves.items()}
    two = prepared(write_folder(tmp_path / "b" / "model", weights=widened))
    folder = write_folder(tmp_path / "a" / "model", weights=halves)
    assert prepared(folder).hash == two.hash


def test_a_config_without_a_model_type_is_bert_where_the_tensors_are(tmp_path: Path) -> None:
    plain = prepared(write_folder(tmp_path / "a" / "model"))
    untold = {key: value for key, value in CONFIG.items() if key != "model_type"}
    assert prepared(write_folder(tmp_path / "b" / "model", config=untold)).hash == plain.hash
    other = {f"roberta.{name}": array for name, array in tensors().items()}
    folder = write_folder(tmp_path / "c" / "model", config=untold, weights=other)
    with pytest.raises(EncoderError, match="must hold every tensor of a BERT"):
        prepared(folder)


def distilled(config: dict[str, Any], weights: Tensors) -> tuple[dict[str, Any], Tensors]:
    """A BERT whose token types add nothing and that has no pooler, as a DistilBERT."""
    keys = families.FAMILIES["distilbert"].keys
    own = {own: config[ours] for ours, own in keys.items()}
    own |= {name: config[name] for name in ("vocab_size", "max_position_embeddings")}
    parts = {ours: own for own, ours in families.FAMILIES["distilbert"].parts.items()}
    renamed: Tensors = {}
    for name, array in weights.items():
        if "token_type" in name or "pooler" in name:
            continue
        if name.startswith("encoder.layer."):
            number, _, rest = name.removeprefix("encoder.layer.").partition(".")
            part, _, parameter = rest.rpartition(".")
            name = f"transformer.layer.{number}.{parts[part]}.{parameter}"
        renamed[f"distilbert.{name}"] = array
    return {"model_type": "distilbert", **own}, renamed


def test_a_distilbert_is_a_bert_without_token_types_and_pooler(tmp_path: Path) -> None:
    weights = tensors()
    weights["embeddings.token_type_embeddings.weight"][:] = 0
    config, own = distilled(CONFIG, weights)
    encoder = prepared(write_folder(tmp_path / "model", config=config, weights=own))
    assert any("without a pooler" in note for note in encoder.notes)
    batch = rows(CONFIG["vocab_size"], 12)
    drawn = load_file(encoder.weights)
    weights["pooler.dense.weight"] = drawn["pooler_transform/kernel"].T
    weights["pooler.dense.bias"] = drawn["pooler_transform/bias"]
    truth = pooled(weights, CONFIG, *batch)
    np.testing.assert_allclose(native_pooled(encoder, *batch), truth, atol=2e-6)


def test_an_electra_is_a_bert_without_a_pooler(tmp_path: Path) -> None:
    plain = {name: array for name, array in tensors().items() if "pooler" not in name}
    bert = prepared(write_folder(tmp_path / "a" / "model", weights=plain))
    own = {f"electra.{name}": array for name, array in plain.items()}
    own["discriminator_predictions.dense.weight"] = np.zeros((24, 24), np.float32)
    config = {**CONFIG, "model_type": "electra", "embedding_size": CONFIG["hidden_size"]}
    assert prepared(write_folder(tmp_path / "b" / "model", config=config, weights=own)).hash == (
        bert.hash
    )
    narrow = write_folder(tmp_path / "c" / "model", config={**config, "embedding_size": 8})
    with pytest.raises(EncoderError, match="embedding_size must be hidden_size, but got 8"):
        prepared(narrow)


def test_a_missing_pooler_is_made_and_said(tmp_path: Path) -> None:
    weights = {name: array for name, array in tensors().items() if "pooler" not in name}
    one = prepared(write_folder(tmp_path / "a" / "model", weights=weights))
    two = prepared(write_folder(tmp_path / "b" / "model", weights=weights))
    assert any("without a pooler" in note for note in one.notes)
    assert one.hash == two.hash
    assert np.std(load_file(one.weights)["pooler_transform/kernel"]) > 0.01


def test_fewer_layers_than_weights_is_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", weights=tensors())
    (folder / "config.json").write_text(json.dumps(CONFIG | {"num_hidden_layers": 1}))
    assert any("first 1 layers" in note for note in prepared(folder).notes)


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model")
    before = prepared(folder)
    save_file(tensors(seed=1), folder / "model.safetensors")
    assert prepared(folder).hash != before.hash


CASED = [*VOCABULARY[:-1], "Paris"]


@pytest.mark.parametrize(
    ("vocabulary", "files", "lowercase"),
    [
        (VOCABULARY, {}, True),
        (CASED, {}, False),
        (VOCABULARY, {"tokenizer_config.json": {"do_lower_case": False}}, False),
        (CASED, {"tokenizer_config.json": {"do_lower_case": True}}, True),
        (VOCABULARY, {"tokenizer.json": {"normalizer": {"lowercase": False}}}, False),
        (CASED, {"tokenizer.json": {"normalizer": {"lowercase": True}}}, True),
        (
            VOCABULARY,
            {
                "tokenizer.json": {"normalizer": {"lowercase": True}},
                "tokenizer_config.json": {"do_lower_case": False},
            },
            False,
        ),
    ],
)
def test_casing(
    vocabulary: list[str], files: dict[str, Any], lowercase: bool, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "model", vocabulary=vocabulary, files=files)
    assert prepared(folder).lowercase is lowercase


def test_what_the_tokenizer_does_differently_is_said(tmp_path: Path) -> None:
    normalizer = {"lowercase": True, "strip_accents": False, "tokenize_chinese_chars": False}
    files = {"tokenizer.json": {"normalizer": normalizer}}
    notes = prepared(write_folder(tmp_path / "model", files=files)).notes
    assert ["strip_accents" in notes[0], "Chinese" in notes[1]] == [True, True]


def test_vocabulary_can_come_from_tokenizer_json(tmp_path: Path) -> None:
    vocab = {token: number for number, token in reversed(list(enumerate(VOCABULARY)))}
    folder = write_folder(tmp_path / "model", files={"tokenizer.json": {"model": {"vocab": vocab}}})
    with_file = prepared(folder)
    (folder / "vocab.txt").unlink()
    assert prepared(folder).hash == with_file.hash


def edit_config(**changes: Any) -> Callable[[Path], None]:
    return lambda folder: (folder / "config.json").write_text(json.dumps(CONFIG | changes)) and None


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def rename(name: str, new: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).rename(folder / new) and None


def put(name: str, text: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(text) and None


def edit_weights(change: Callable[[Tensors], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        weights = tensors()
        change(weights)
        save_file(weights, folder / "model.safetensors")

    return edit


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "not JSON": (put("config.json", b"{"), "config.json cannot be read as JSON"),
    "not an object": (put("config.json", b"[]"), "must hold a JSON object"),
    "albert": (
        edit_config(model_type="albert"),
        "must be one of bert, electra, roberta, xlm-roberta, distilbert",
    ),
    "relative": (
        edit_config(position_embedding_type="relative_key"),
        "position_embedding_type must be 'absolute', but got 'relative_key'",
    ),
    "epsilon": (edit_config(layer_norm_eps=0), "0 < layer_norm_eps < 1"),
    "activation": (edit_config(hidden_act="silu"), "hidden_act must be gelu or"),
    "decoder": (edit_config(is_decoder=True), "is_decoder must be false"),
    "no size": (edit_config(hidden_size=None), "hidden_size must be a whole number, but got None"),
    "half a size": (edit_config(hidden_size=24.5), "hidden_size must be a whole number"),
    "heads": (edit_config(num_attention_heads=5), "multiple of num_attention_heads"),
    "rate": (edit_config(hidden_dropout_prob=1), "0 <= dropout < 1"),
    "no layers": (edit_config(num_hidden_layers=0), "num_layers of an encoder must be at least 1"),
    "more layers": (edit_config(num_hidden_layers=3), "lacks encoder.layer.2"),
    "other size": (edit_config(intermediate_size=41), "does not fit the sizes in config.json"),
    "other hidden": (edit_config(hidden_size=48), "does not fit the sizes in config.json"),
    "no weights": (remove("model.safetensors"), "has no weights"),
    "pickle": (rename("model.safetensors", "pytorch_model.bin"), "can run code when read"),
    "shards": (
        rename("model.safetensors", "model.safetensors.index.json"),
        "weights in several files",
    ),
    "torn weights": (put("model.safetensors", b"torn"), "cannot be read as safetensors"),
    "no tensor": (
        edit_weights(lambda w: w.pop("embeddings.LayerNorm.bias")),
        "lacks embeddings.LayerNorm.bias",
    ),
    "infinite": (
        edit_weights(lambda w: w["pooler.dense.bias"].fill(np.inf)),
        "pooler_transform/bias must hold finite numbers",
    ),
    "no vocabulary": (remove("vocab.txt"), "must hold vocab.txt or tokenizer.json"),
    "not UTF-8": (put("vocab.txt", b"\xff\xfe"), "must be UTF-8 text, but byte 0 is not"),
    "no [CLS]": (put("vocab.txt", b"[PAD]\n[UNK]\n[SEP]\n"), r"\[CLS\] is not in it"),
    "long vocabulary": (
        put("vocab.txt", "\n".join([*VOCABULARY, "a", "b"]).encode()),
        "must not be longer than the word embeddings",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_named(case: str, tmp_path: Path) -> None:
    spoil, says = BROKEN[case]
    folder = write_folder(tmp_path / "model")
    spoil(folder)
    with pytest.raises(EncoderError, match=says) as caught:
        prepared(folder)
    assert str(folder) in str(caught.value)
    assert str(caught.value).rstrip().endswith(".")
