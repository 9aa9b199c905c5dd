"""The tutorial's recipe: rows, features, model, training, and the hub module it starts from."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks._inputs import SEED
from benchmarks._sides import Channel, started
from benchmarks._tables import say

LENGTH, BATCH, DROPOUT, LEARNING_RATE = 128, 32, 0.5, 2e-5


def rows_of(folder: str, split: str) -> tuple[Any, Any]:
    """Texts and labels of a split as the data set of TensorFlow that the recipe begins with."""
    import pandas as pd
    import tensorflow as tf

    frame = pd.read_csv(Path(folder) / f"{split}.csv", keep_default_na=False)
    labels = frame["label"].to_numpy("int32")
    return tf.data.Dataset.from_tensor_slices((frame["text"].tolist(), labels)), labels


def feature_map(bert_layer: Any, *, length: int = LENGTH) -> Any:
    """The recipe's `to_feature_map`: a text and its label to features padded to `length`."""
    import tensorflow as tf
    from official.nlp.data import classifier_data_lib
    from official.nlp.tools import tokenization

    vocab_file = bert_layer.resolved_object.vocab_file.asset_path.numpy()
    do_lower_case = bert_layer.resolved_object.do_lower_case.numpy()
    tokenizer = tokenization.FullTokenizer(vocab_file, do_lower_case)

    def to_feature(text: Any, label: Any) -> Any:
        example = classifier_data_lib.InputExample(
            guid=None, text_a=text.numpy(), text_b=None, label=label.numpy()
        )
        feature = classifier_data_lib.convert_single_example(0, example, [0, 1], length, tokenizer)
        return feature.input_ids, feature.input_mask, feature.segment_ids, feature.label_id

    def to_feature_map(text: Any, label: Any) -> Any:
        ids, mask, segments, label_id = tf.py_function(
            to_feature, inp=[text, label], Tout=[tf.int32] * 4
        )
        for part in (ids, mask, segments):
            part.set_shape([length])
        label_id.set_shape([])
        x = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": segments}
        return x, label_id

    return to_feature_map


def model_of(
    module: str,
    *,
    length: int = LENGTH,
    dropout: float = DROPOUT,
    learning_rate: float = LEARNING_RATE,
) -> tuple[Any, Any]:
    """The recipe's compiled model, and the hub layer in it."""
    import tensorflow as tf
    import tensorflow_hub as hub
    import tf_keras

    names = ("input_word_ids", "input_mask", "input_type_ids")
    words = {
        name: tf_keras.layers.Input(shape=(length,), dtype=tf.int32, name=name) for name in names
    }
    bert_layer = hub.KerasLayer(module, trainable=True)
    drop = tf_keras.layers.Dropout(dropout)(bert_layer(words)["pooled_output"])
    output = tf_keras.layers.Dense(1, activation="sigmoid", name="output")(drop)
    model = tf_keras.Model(inputs=words, outputs=output)
    model.compile(
        optimizer=tf_keras.optimizers.Adam(learning_rate=learning_rate),
        loss=tf_keras.losses.BinaryCrossentropy(),
        metrics=[
            tf_keras.metrics.BinaryAccuracy(),
            tf_keras.metrics.PrecisionAtRecall(0.5),
            tf_keras.metrics.Precision(),
            tf_keras.metrics.Recall(),
        ],
    )
    return model, bert_layer


def turns(channel: Channel, config: Mapping[str, Any]) -> None:
    """One `model.fit` whose epochs are its turns: input and graph stay warm between them."""
    import tensorflow as tf
    import tf_keras

    class TakingTurns(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if channel.receive() is None:
                sys.exit(0)
            self.begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seconds = time.perf_counter() - self.begun
            examples = config["steps"] * BATCH
            channel.send({"examples": examples, "seconds": seconds, "loss": logs["loss"]})

    tf_keras.utils.set_random_seed(SEED)
    model, bert_layer = model_of(config["module"])
    rows, _ = rows_of(config["rows"], "train")
    mapped = rows.map(feature_map(bert_layer), num_parallel_calls=tf.data.AUTOTUNE)
    batches = mapped.shuffle(1000).batch(BATCH, drop_remainder=True).repeat()
    channel.send({"ready": True})
    model.fit(
        batches.prefetch(tf.data.AUTOTUNE),
        steps_per_epoch=config["steps"],
        epochs=config["rounds"] + 1,
        callbacks=[TakingTurns()],
        verbose=0,
    )


def trial(channel: Channel, config: Mapping[str, Any]) -> None:
    """A whole training with validation every epoch; average precision comes after the clock."""
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(config["seed"])
    model, bert_layer = model_of(config["module"])
    features = feature_map(bert_layer)
    train, _ = rows_of(config["rows"], "train")
    valid, labels = rows_of(config["rows"], "validation")
    train = train.map(features, num_parallel_calls=tf.data.AUTOTUNE).shuffle(1000)
    valid = valid.map(features, num_parallel_calls=tf.data.AUTOTUNE)
    begun = time.perf_counter()
    model.fit(
        train.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE),
        validation_data=valid.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE),
        epochs=config["epochs"],
        verbose=0,
    )
    channel.send({"fitting": time.perf_counter() - begun, "preparing": 0.0})

    from sklearn.metrics import average_precision_score

    predicted = model.predict(valid.batch(BATCH), verbose=0)[:, 0]
    channel.send({"average_precision": float(average_precision_score(labels, predicted))})


def export_module(channel: Channel, config: Mapping[str, Any]) -> None:
    """Writes MiniLM as a hub module, with Model Garden's own exporter."""
    import tensorflow as tf
    from official.legacy.bert.configs import BertConfig
    from official.nlp.tools import export_tfhub_lib
    from safetensors.numpy import load_file

    from bertsweep import encoders
    from bertsweep.encoders import native
    from bertsweep.spec.models import Encoder

    draft = Path(config["draft"])
    source = Encoder(source=config["encoder"])
    prepared = encoders.prepare_encoder(source, cache=draft / "cache", base=Path.cwd())
    sizes = prepared.config
    bert_config = BertConfig(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.hidden_size,
        num_hidden_layers=sizes.num_layers,
        num_attention_heads=sizes.num_attention_heads,
        intermediate_size=sizes.intermediate_size,
        # The exporter's own "gelu" is the tanh approximation, which MiniLM was not trained with.
        hidden_act=native.KERAS_ACTIVATIONS[sizes.activation],
        hidden_dropout_prob=sizes.dropout,
        attention_probs_dropout_prob=sizes.attention_dropout,
        max_position_embeddings=sizes.max_position_embeddings,
        type_vocab_size=sizes.type_vocab_size,
    )
    encoder = export_tfhub_lib.get_bert_encoder(bert_config)
    native.assign(encoder, load_file(prepared.weights), config=sizes, where=config["encoder"])
    checkpoint = tf.train.Checkpoint(model=encoder, encoder=encoder)
    export_tfhub_lib.export_model(
        str(draft / "module"),
        bert_config=bert_config,
        model_checkpoint_path=checkpoint.save(str(draft / "checkpoint")),
        with_mlm=False,
        vocab_file=str(prepared.vocabulary),
        do_lower_case=prepared.lowercase,
    )
    channel.send({"ready": True})


def hub_module(encoder: Path, work: Path) -> Path:
    """The encoder as a hub module, made once."""
    module = work / f"{encoder.name}-hub-module"
    if not module.is_dir():
        say(f"exporting {encoder.name} as a hub module")
        draft = Path(tempfile.mkdtemp(prefix=".export-", dir=work))
        config = json.dumps({"draft": str(draft), "encoder": str(encoder)})
        with started({"export": [sys.executable, "-m", "benchmarks._tutorial", config]}):
            (draft / "module").rename(module)
        shutil.rmtree(draft)
    return module


if __name__ == "__main__":
    export_module(Channel(), json.loads(sys.argv[1]))
