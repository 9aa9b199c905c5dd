"""Tiny RoBERTa and XLM-R folders, and what `transformers` computes with them.

`python -m tests.support.robertas` writes `tests/encoders/reference` anew, in a Python that has
transformers and torch: the tokenizers, trained on a few made-up sentences, and for some texts the
token ids and the pooled output. Weights are drawn from a fixed seed here and there, and stand in no
file. The reference was made with transformers 5.24.0 and torch 2.13.0.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.support.hfmodel import CONFIG, tensors, write_folder

REFERENCE = Path(__file__).parents[1] / "encoders" / "reference"
MOST = 32
"""Word pieces that the models have positions for: two of their 34 are never used."""
FAMILIES = ("roberta", "xlm-roberta")
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

SENTENCES = [
    "How do I learn to play the guitar?",
    "Why are some people so rude to waiters, and what can one do about it?",
    "Is it true that the Earth's core is hotter than the surface of the Sun?",
    "Wie lernt man am schnellsten eine neue Sprache?",
    "¿Por qué el cielo es azul y no verde?",
]
TEXTS = [
    "How do people learn the guitar?",
    "rude",
    "",
    "  Two  spaces,\ta tab and a\nnew line. ",
    "el cielo está azul — y 日本 😀 auch",
    "a literal <s> and </s>, a <pad> and a <mask> are text",
    "x" * 40,
]
PAIRS = [("Why is the sky blue?", "el cielo es azul"), ("", "rude"), ("rude", "")]


def config(family: str, vocab_size: int) -> dict[str, Any]:
    return {
        **CONFIG,
        "model_type": family,
        "vocab_size": vocab_size,
        "max_position_embeddings": 34,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }


def write_model(family: str, folder: Path, **changes: Any) -> Path:
    """A folder as `save_pretrained` writes it: the model with its head's prefix, the tokenizer."""
    settled = json.loads((REFERENCE / family / "config.json").read_text()) | changes
    weights = {f"roberta.{name}": array for name, array in tensors(settled).items()}
    write_folder(folder, config=settled, weights=weights)
    (folder / "vocab.txt").unlink()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((REFERENCE / family / name).read_bytes())
    return folder


def expected(family: str) -> dict[str, Any]:
    """`single` and `pair`: each with `ids` and, of those that fit the model, `pooled`."""
    found: dict[str, Any] = json.loads((REFERENCE / family / "expected.json").read_text())
    return found


def _make(family: str) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = REFERENCE / family
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _roberta() if family == "roberta" else _xlm_roberta()
    tokenizer.save_pretrained(folder)
    settled = config(family, len(tokenizer))
    (folder / "config.json").write_text(json.dumps(settled, indent=2) + "\n")
    with tempfile.TemporaryDirectory() as scratch:
        model_folder = write_model(family, Path(scratch) / "model")
        # The special tokens of a text are taken for plain text.
        tokenizer = AutoTokenizer.from_pretrained(model_folder, split_special_tokens=True)
        model = AutoModel.from_pretrained(model_folder).eval()
    rows: dict[str, Any] = {"single": TEXTS, "pair": PAIRS}
    found = {}
    for kind, texts in rows.items():
        columns = (
            [texts] if kind == "single" else [list(column) for column in zip(*texts, strict=True)]
        )
        ids = tokenizer(*columns)["input_ids"]
        fits = [number for number, row in enumerate(ids) if len(row) <= MOST]
        columns = [[column[number] for number in fits] for column in columns]
        with torch.no_grad():
            encoded = tokenizer(*columns, padding=True, return_tensors="pt")
            pooled = model(**encoded).pooler_output
        found[kind] = {
            "ids": ids,
            "rows": fits,
            "pooled": pooled.double().numpy().round(7).tolist(),
        }
    (folder / "expected.json").write_text(json.dumps(found) + "\n")


def _roberta() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import RobertaTokenizer

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(SENTENCES, trainer)
    model = json.loads(trained.to_str())["model"]
    return RobertaTokenizer(vocab=model["vocab"], merges=[tuple(m) for m in model["merges"]])


def _xlm_roberta() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import XLMRobertaTokenizer

    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=SPECIAL[:4], unk_token="<unk>", show_progress=False
    )
    trained.train_from_iterator(SENTENCES, trainer)
    pieces = json.loads(trained.to_str())["model"]["vocab"]
    return XLMRobertaTokenizer(vocab=[*map(tuple, pieces), ("<mask>", 0.0)])


if __name__ == "__main__":
    for each in FAMILIES:
        _make(each)
