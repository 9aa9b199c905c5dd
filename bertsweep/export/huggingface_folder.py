"""A folder for Hugging Face Transformers: a model for sequence classification and its tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from bertsweep.encoders.huggingface_weights import to_tensors
from bertsweep.export.characters import character_classes
from bertsweep.export.subject import Subject
from bertsweep.tokens import Tokenizer, WordPieces
from bertsweep.tokens.library import LibraryTokenizer
from bertsweep.tokens.wordpieces import MAX_WORD_CHARACTERS
from bertsweep.vocabulary import TOKENIZER

_HIDDEN_ACT = {"gelu": "gelu", "gelu_tanh": "gelu_new", "relu": "relu"}
_SPECIAL = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
}


def write(subject: Subject, folder: Path) -> None:
    """Writes config.json, model.safetensors and the tokenizer's files."""
    save_file(_tensors(subject), folder / "model.safetensors", metadata={"format": "pt"})
    _write_json(folder / "config.json", _config(subject))
    if isinstance(subject.pieces, WordPieces):
        build_tokenizer(subject.pieces).save(str(folder / TOKENIZER))
    (folder / subject.vocabulary_name).write_bytes(subject.vocabulary)
    _write_json(folder / "tokenizer_config.json", _tokenizer_config(subject))


def _tensors(subject: Subject) -> dict[str, np.ndarray[Any, Any]]:
    """PyTorch's names and layout; of two classes the first has the logit 0, the second ours.

    softmax([0, z]) is the sigmoid of z, so the probabilities are the same.
    """
    kernel, bias = subject.kernel.T, subject.bias
    if subject.classes == 2:
        kernel = np.concatenate([np.zeros_like(kernel), kernel])
        bias = np.concatenate([np.zeros_like(bias), bias])
    encoder = to_tensors(subject.encoder)
    return {
        **{f"bert.{name}": tensor for name, tensor in encoder.items()},
        "classifier.weight": np.ascontiguousarray(kernel, np.float32),
        "classifier.bias": np.ascontiguousarray(bias, np.float32),
    }


def _config(subject: Subject) -> dict[str, Any]:
    config, names = subject.config, subject.names
    return {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "problem_type": "single_label_classification",
        "id2label": {str(number): name for number, name in enumerate(names)},
        "label2id": {name: number for number, name in enumerate(names)},
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_attention_heads,
        "intermediate_size": config.intermediate_size,
        "hidden_act": _HIDDEN_ACT[config.activation],
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.attention_dropout,
        "classifier_dropout": subject.head_dropout,
        "max_position_embeddings": config.max_position_embeddings,
        "type_vocab_size": config.type_vocab_size,
        "layer_norm_eps": config.layer_norm_eps,
        "pad_token_id": subject.pieces.special.pad,
        "dtype": "float32",
        "bertsweep": subject.settings(),
    }


def _tokenizer_config(subject: Subject) -> dict[str, Any]:
    return {
        # The class that takes tokenizer.json as it is, where BertTokenizer would put rules of its
        # own in the place of those below.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "do_lower_case": subject.record.encoder.lowercase,
        "model_max_length": subject.length,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        # A "[SEP]" in a text is three words, as in training, and no separator.
        "split_special_tokens": True,
        "clean_up_tokenization_spaces": False,
        **_special(subject.pieces),
    }


def _special(pieces: Tokenizer) -> dict[str, str]:
    """The names of the special tokens, as the tokenizer's own file has them."""
    if not isinstance(pieces, LibraryTokenizer):
        return _SPECIAL
    special = pieces.special
    ids = (special.pad, special.unk, special.cls, special.sep)
    return dict(zip(_SPECIAL, map(pieces.token, ids), strict=True))


def build_tokenizer(pieces: WordPieces) -> Any:
    """The rules of `tokens.words` in the terms of the `tokenizers` library.

    Its own BERT rules remove private and unassigned characters, and know a newer Unicode.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import WordPiece
    from tokenizers.processors import TemplateProcessing

    classes = {name: Regex(pattern) for name, pattern in character_classes().items()}
    tokenizer = Tokenizer(
        WordPiece(
            pieces.vocabulary,
            unk_token="[UNK]",  # noqa: S106 - no password
            max_input_chars_per_word=MAX_WORD_CHARACTERS,
        )
    )
    steps: list[Any] = [
        normalizers.Replace(classes["space"], " "),
        normalizers.Replace(classes["control"], ""),
    ]
    if pieces.lowercase:
        steps += [
            # The library lowers each character by itself, but a sigma that ends a word has a small
            # form of its own.
            normalizers.Replace(Regex(r"(?<=\p{L})Σ(?!\p{L})"), "ς"),
            normalizers.Lowercase(),
            normalizers.NFD(),
            normalizers.Replace(classes["accent"], ""),
        ]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(" +"), "removed"),
            pre_tokenizers.Split(classes["chinese"], "isolated"),
            pre_tokenizers.Split(classes["punctuation"], "isolated"),
        ]
    )
    tokenizer.decoder = decoders.WordPiece()
    special = pieces.special
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in _SPECIAL.values()])
    tokenizer.encode_special_tokens = True
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", special.cls), ("[SEP]", special.sep)],
    )
    return tokenizer


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
