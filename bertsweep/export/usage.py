"""How each format is loaded and asked, as Markdown for the model card."""

from __future__ import annotations

from bertsweep.export.subject import Subject
from bertsweep.vocabulary import VOCABULARY


def usage(name: str, subject: Subject) -> str:
    """A heading and a few lines of Python."""
    return _USAGE[name].format(
        texts='text=tf.constant(["a text"])'
        + (', text_b=tf.constant(["another"])' if subject.pair else ""),
        plain='"a text"' + (', "another"' if subject.pair else ""),
        piped='{"text": "a text", "text_pair": "another"}' if subject.pair else '"a text"',
        length=subject.length,
        threshold=subject.record.threshold,
        tokenizer="BERT's tokenizer with"
        if subject.vocabulary_name == VOCABULARY
        else "the `tokenizers` library's",
        vocabulary=subject.vocabulary_name,
    )


_USAGE = {
    "savedmodel": """\
### savedmodel

```python
import tensorflow as tf
import tensorflow_text  # the operations of the tokenizer

model = tf.saved_model.load("savedmodel")
print(model.signatures["serving_default"]({texts}))
```

It answers with `label`, its `probability` and `probabilities` for every row; the signature
`token_ids` does for `input_word_ids`, `input_mask` and `input_type_ids`, and `tokenize` tells what
these are. For TensorFlow Serving, mount the folder as `/models/NAME/1`.""",
    "keras": """\
### keras

```python
import tf_keras
from official.nlp.modeling import networks  # registers the encoder

model = tf_keras.models.load_model("keras/model.h5")
print(model({{"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}}))
```

Token ids are int32 [rows, width], of {tokenizer} `keras/{vocabulary}`, cut to {length}
pieces. The output is the probability of the positive one of two classes, or of each class.""",
    "huggingface": """\
### huggingface

```python
from transformers import pipeline

classify = pipeline("text-classification", model="huggingface", top_k=None, truncation=True)
print(classify({piped}))
```

The threshold is not applied: of two labels, the probability of the positive one is to be compared
with `model.config.bertsweep["threshold"]` ({threshold}).""",
    "onnx": """\
### onnx

```python
import onnxruntime

session = onnxruntime.InferenceSession("onnx/model.onnx")
inputs = {{"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}}
print(session.run(["probabilities"], inputs)[0])
```

Token ids are int32 [rows, width] of any size, of {tokenizer} `onnx/{vocabulary}`, cut to
{length} pieces. The metadata of the model holds labels and threshold.""",
}
