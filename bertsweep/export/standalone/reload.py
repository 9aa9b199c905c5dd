"""Computes with an export in a process of its own: `python reload.py FORMAT FOLDER IN OUT`.

It imports what a user of the export has to install and nothing of bertsweep. IN is a folder with
`rows.npz`, which holds the token ids of batch N as `ids_N`, `mask_N` and `types_N`, and with
`texts.json`, the texts of each batch: a list of one or two lists. OUT is an .npz file: of each way
of asking the export ("text", "ids"), its probabilities [rows, classes] in the order of the batches;
and `labels`, where the export names them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

Answers = dict[str, list[Any]]


def savedmodel(folder: Path, batches: list[Any]) -> Answers:
    """Asks both signatures; needs tensorflow and tensorflow-text."""
    import tensorflow as tf
    import tensorflow_text  # noqa: F401 - brings the operations that the graph has

    model = tf.saved_model.load(str(folder))
    on_text, on_ids = (model.signatures[name] for name in ("serving_default", "token_ids"))
    found: Answers = {"text": [], "ids": [], "labels": []}
    for texts, ids, mask, types in batches:
        named = dict(zip(("text", "text_b"), map(tf.constant, texts), strict=False))
        answer = on_text(**named)
        found["text"].append(answer["probabilities"].numpy())
        found["labels"] += [_name(label) for label in answer["label"].numpy().tolist()]
        answer = on_ids(
            input_word_ids=tf.constant(ids),
            input_mask=tf.constant(mask),
            input_type_ids=tf.constant(types),
        )
        found["ids"].append(answer["probabilities"].numpy())
    return found


def keras(folder: Path, batches: list[Any]) -> Answers:
    """Needs tf_keras and tf-models-official."""
    import tf_keras
    from official.nlp.modeling import networks  # noqa: F401 - registers the classes of the model

    model = tf_keras.models.load_model(folder / "model.h5", compile=False)
    found: Answers = {"ids": []}
    for _, ids, mask, types in batches:
        named = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}
        output = np.asarray(model(named, training=False), np.float64)
        found["ids"].append(np.hstack([1 - output, output]) if output.shape[1] == 1 else output)
    return found


def onnx(folder: Path, batches: list[Any]) -> Answers:
    """Needs onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    found: Answers = {"ids": []}
    for _, ids, mask, types in batches:
        named = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}
        found["ids"].append(session.run(["probabilities"], named)[0])
    return found


def huggingface(folder: Path, batches: list[Any]) -> Answers:
    """Needs torch and transformers.

    Where a pair is cut, Transformers leaves the second text a piece that BERT leaves the first. It
    is then given the token ids.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    model = AutoModelForSequenceClassification.from_pretrained(str(folder)).eval()
    found: Answers = {"text": [], "ids": []}
    for texts, ids, mask, types in batches:
        own = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        encoded = tokenizer(*texts, padding=True, truncation=True, return_tensors="np")
        if len(texts) == 2 and ids.shape[1] == tokenizer.model_max_length:
            encoded = own
        for way, inputs in (("text", encoded), ("ids", own)):
            tensors = {name: torch.tensor(np.asarray(inputs[name], np.int64)) for name in own}
            with torch.no_grad():
                logits = model(**tensors).logits
            found[way].append(torch.softmax(logits.double(), dim=1).numpy())
    return found


def main(arguments: list[str]) -> None:
    """Reads the batches, asks the export, writes its answers."""
    kind, folder, given, out = arguments
    rows = np.load(Path(given) / "rows.npz")
    texts = json.loads((Path(given) / "texts.json").read_text(encoding="utf-8"))
    batches = [
        (some, *(rows[f"{name}_{n}"] for name in ("ids", "mask", "types")))
        for n, some in enumerate(texts)
    ]
    found = FORMATS[kind](Path(folder), batches)
    labels = found.pop("labels", None)
    arrays: dict[str, Any] = {way: np.concatenate(answers) for way, answers in found.items()}
    if labels is not None:
        arrays["labels"] = np.array(labels)
    np.savez(out, **arrays)


def _name(label: Any) -> str:
    return label.decode() if isinstance(label, bytes) else json.dumps(label)


FORMATS = {"savedmodel": savedmodel, "keras": keras, "onnx": onnx, "huggingface": huggingface}

if __name__ == "__main__":
    main(sys.argv[1:])
    assert not any(name.partition(".")[0] == "bertsweep" for name in sys.modules)  # noqa: S101
