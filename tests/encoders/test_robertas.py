"""RoBERTa and XLM-R folders against what `transformers` computes with the same ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertsweep.encoders import PreparedEncoder, prepare_encoder
from bertsweep.errors import EncoderError
from bertsweep.spec.models import Encoder
from bertsweep.tokens import Tokens, open_tokenizer
from tests.support.robertas import FAMILIES, MOST, PAIRS, TEXTS, expected, write_model


def prepared(folder: Path, **keys: Any) -> PreparedEncoder:
    cache = folder.parent / "cache"
    return prepare_encoder(Encoder(source=str(folder), **keys), cache=cache, base=Path())


def tokens(encoder: PreparedEncoder, kind: str, rows: list[int] | None = None) -> Tokens:
    texts: list[Any] = list(TEXTS if kind == "single" else PAIRS)
    texts = texts if rows is None else [texts[row] for row in rows]
    columns = [texts] if kind == "single" else [list(column) for column in zip(*texts, strict=True)]
    tokenizer = open_tokenizer(encoder.vocabulary, lowercase=encoder.lowercase)
    return Tokens.from_texts(tokenizer, *columns)


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_and_pooled_output_are_those_of_transformers(family: str, tmp_path: Path) -> None:
    from bertsweep.encoders import native

    encoder = prepared(write_model(family, tmp_path / "model"))
    assert encoder.config.max_position_embeddings == MOST
    assert encoder.config.layer_norm_eps == 1e-5
    assert encoder.notes == ()
    assert not encoder.lowercase
    built = native.build(encoder)
    for kind, known in expected(family).items():
        every = tokens(encoder, kind)
        for row, ids in enumerate(known["ids"]):
            batch = every.batch(np.array([row]), max_seq_length=100)
            assert batch[0][0].tolist() == ids
            assert not batch[2].any()
        fit = tokens(encoder, kind, known["rows"])
        ids, mask, types = fit.batch(np.arange(fit.rows), max_seq_length=MOST)
        inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}
        ours = built(inputs, training=False)["pooled_output"].numpy()
        np.testing.assert_allclose(ours, known["pooled"], atol=5e-6)


def test_a_pair_that_is_cut_keeps_its_frame(tmp_path: Path) -> None:
    encoder = prepared(write_model("roberta", tmp_path / "model"))
    whole = expected("roberta")["pair"]["ids"][0]
    ids, _, _ = tokens(encoder, "pair", [0]).batch(np.array([0]), max_seq_length=9)
    second = whole.index(2) + 2
    assert ids[0].tolist() == [*whole[:4], 2, 2, *whole[second : second + 2], 2]
    with pytest.raises(ValueError, match="at least 4"):
        tokens(encoder, "pair").batch(np.array([0]), max_seq_length=3)


def test_a_model_without_a_pooler_gets_one_and_says_so(tmp_path: Path) -> None:
    folder = write_model("roberta", tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    save_file({n: a for n, a in weights.items() if "pooler" not in n}, folder / "model.safetensors")
    assert any("without a pooler" in note for note in prepared(folder).notes)


def test_the_tokenizer_is_part_of_what_the_encoder_is(tmp_path: Path) -> None:
    folder = write_model("xlm-roberta", tmp_path / "model")
    before = prepared(folder)
    rules = json.loads((folder / "tokenizer.json").read_text())
    rules["normalizer"] = {"type": "Lowercase"}
    (folder / "tokenizer.json").write_text(json.dumps(rules))
    after = prepared(folder)
    assert after.hash != before.hash
    assert after.lowercase


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").rename(folder / "vocab.json")


def damaged(folder: Path) -> None:
    rules = json.loads((folder / "tokenizer.json").read_text())
    rules["model"]["vocab"] = 3
    (folder / "tokenizer.json").write_text(json.dumps(rules))


def unframed(folder: Path) -> None:
    rules = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps({**rules, "post_processor": None}))


def too_large(folder: Path) -> None:
    shutil.rmtree(folder)
    write_model("roberta", folder, vocab_size=300)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without_tokenizer, "tokenizer.json, but has vocab.json alone"),
        (damaged, "a tokenizer.json that the tokenizers library"),
        (unframed, "must put one token before a text"),
        (too_large, "its ids must be below vocab_size, but go to 359 for 300 rows"),
    ],
)
def test_what_cannot_be_used_is_refused(change: Any, says: str, tmp_path: Path) -> None:
    folder = write_model("roberta", tmp_path / "model")
    change(folder)
    with pytest.raises(EncoderError, match=says):
        prepared(folder)


def test_lower_casing_is_the_tokenizers_own(tmp_path: Path) -> None:
    folder = write_model("roberta", tmp_path / "model")
    with pytest.raises(EncoderError, match=r"encoder\.lowercase must be auto"):
        prepared(folder, lowercase=True)
    assert prepared(folder, lowercase=False).hash == prepared(folder).hash
