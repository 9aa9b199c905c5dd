"""The tutorial's recipe as written against ours: the same encoder, rows and hyperparameters.

    python -m benchmarks.recipe                 # examples/s in steady state, taking turns
    python -m benchmarks.recipe --trial         # a whole trial each: seconds, average precision

Both sides start from one SavedModel, which Model Garden's own exporter writes with MiniLM's
weights. The recipe, of the well-known notebook on insincere questions: `hub.KerasLayer`, Model
Garden's `FullTokenizer` in `tf.py_function`, everything padded to 128, float32, batches of 32 (what
is left at the end of an epoch is dropped), dropout 0.5, one sigmoid unit, Adam 2e-5, binary
cross-entropy, and its four metrics in the step. One thing differs from the notebook: the module is
called with a dict and its `pooled_output` is taken by name, as modules of today want it.

Steady state: both processes are alive and take turns, the first of which is left out. A trial: a
fresh process a seed, measured from its start to the last validation, all set-up included. Ours
counts what a sweep does but once (reading the rows, converting the SavedModel, tokenising), with an
empty cache, and is shown without it too; Ray is not in it (see `benchmarks.overhead`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _shared
from benchmarks._shared import Channel, Side

LENGTH, BATCH, DROPOUT, LEARNING_RATE = 128, 32, 0.5, 2e-5
TUTORIAL, OURS = "tutorial's recipe", "bertsweep"


# The tutorial's side


def tutorial_rows(config: Mapping[str, Any], split: str) -> tuple[Any, Any]:
    """Texts and labels of a split as the data set of TensorFlow that the recipe begins with."""
    import pandas as pd
    import tensorflow as tf

    frame = pd.read_csv(Path(config["rows"]) / f"{split}.csv", keep_default_na=False)
    labels = frame["label"].to_numpy("int32")
    return tf.data.Dataset.from_tensor_slices((frame["text"].tolist(), labels)), labels


def tutorial_features(bert_layer: Any) -> Any:
    """The recipe's `to_feature_map`: a text and its label to padded features."""
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
        feature = classifier_data_lib.convert_single_example(0, example, [0, 1], LENGTH, tokenizer)
        return feature.input_ids, feature.input_mask, feature.segment_ids, feature.label_id

    def to_feature_map(text: Any, label: Any) -> Any:
        ids, mask, segments, label_id = tf.py_function(
            to_feature, inp=[text, label], Tout=[tf.int32] * 4
        )
        for part in (ids, mask, segments):
            part.set_shape([LENGTH])
        label_id.set_shape([])
        x = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": segments}
        return x, label_id

    return to_feature_map


def tutorial_model(module: str) -> tuple[Any, Any]:
    """The recipe's compiled model, and the hub layer in it."""
    import tensorflow as tf
    import tensorflow_hub as hub
    import tf_keras

    names = ("input_word_ids", "input_mask", "input_type_ids")
    words = {
        name: tf_keras.layers.Input(shape=(LENGTH,), dtype=tf.int32, name=name) for name in names
    }
    bert_layer = hub.KerasLayer(module, trainable=True)
    drop = tf_keras.layers.Dropout(DROPOUT)(bert_layer(words)["pooled_output"])
    output = tf_keras.layers.Dense(1, activation="sigmoid", name="output")(drop)
    model = tf_keras.Model(inputs=words, outputs=output)
    model.compile(
        optimizer=tf_keras.optimizers.Adam(learning_rate=LEARNING_RATE),
        loss=tf_keras.losses.BinaryCrossentropy(),
        metrics=[
            tf_keras.metrics.BinaryAccuracy(),
            tf_keras.metrics.PrecisionAtRecall(0.5),
            tf_keras.metrics.Precision(),
            tf_keras.metrics.Recall(),
        ],
    )
    return model, bert_layer


def tutorial_turns(channel: Channel, config: Mapping[str, Any]) -> None:
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

    tf_keras.utils.set_random_seed(_shared.SEED)
    model, bert_layer = tutorial_model(config["module"])
    rows, _ = tutorial_rows(config, "train")
    mapped = rows.map(tutorial_features(bert_layer), num_parallel_calls=tf.data.AUTOTUNE)
    batches = mapped.shuffle(1000).batch(BATCH, drop_remainder=True).repeat()
    channel.send({"ready": True})
    model.fit(
        batches.prefetch(tf.data.AUTOTUNE),
        steps_per_epoch=config["steps"],
        epochs=config["rounds"] + 1,
        callbacks=[TakingTurns()],
        verbose=0,
    )


def tutorial_trial(channel: Channel, config: Mapping[str, Any]) -> None:
    """A whole training with validation every epoch; average precision comes after the clock."""
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(config["seed"])
    model, bert_layer = tutorial_model(config["module"])
    features = tutorial_features(bert_layer)
    train, _ = tutorial_rows(config, "train")
    valid, labels = tutorial_rows(config, "validation")
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


# Ours


def our_trial(channel: Channel, config: Mapping[str, Any]) -> None:
    """A sweep's preparation with an empty cache, then a trial; then one more on the used actor."""
    begun = time.perf_counter()
    folder = Path(config["folder"])
    prepared = _shared.our_preparation(Path(config["rows"]), Path(config["module"]), folder)
    how = {"threads": config["threads"], "precision": config["precision"]}
    job = _shared.our_job(prepared, folder / "sweep", **how)
    preparing = time.perf_counter() - begun

    from bertsweep.trial.workbench import Workbench, set_up_devices

    set_up_devices(cpus=job.cpus, gpus=job.gpus)
    bench = Workbench(job)
    seconds, report = _run(bench, job, "t0000", config)
    channel.send({"fitting": seconds, "preparing": preparing})
    channel.send({"average_precision": report["metrics"]["val_average_precision"]})
    if channel.receive() is not None:
        seconds, report = _run(bench, job, "t0001", config)
        score = report["metrics"]["val_average_precision"]
        channel.send({"fitting": seconds, "average_precision": score})


def _run(bench: Any, job: Any, trial: str, config: Mapping[str, Any]) -> tuple[float, Any]:
    from bertsweep.spec.hyperparameters import Hyperparameters
    from bertsweep.trial.job import Proposal
    from bertsweep.trial.session import Session

    begun = time.perf_counter()
    hyperparameters = Hyperparameters(
        learning_rate=LEARNING_RATE,
        dropout=DROPOUT,
        max_seq_length=LENGTH,
        batch_size=BATCH,
        epochs=config["epochs"],
    )
    session = Session(bench, job, Proposal(trial, hyperparameters.to_point(), config["seed"]))
    report = session.next_report()
    while not report["finished"]:
        report = session.next_report()
    return time.perf_counter() - begun, report


# What both start from


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
    prepared = encoders.prepare(source, cache=draft / "cache", base=Path.cwd())
    sizes = prepared.config
    bert_config = BertConfig(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.hidden_size,
        num_hidden_layers=sizes.num_layers,
        num_attention_heads=sizes.num_attention_heads,
        intermediate_size=sizes.intermediate_size,
        # The exporter's own "gelu" is the tanh approximation, which MiniLM was not trained with.
        hidden_act=native.ACTIVATIONS[sizes.activation],
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
        _shared.say(f"exporting {encoder.name} as a hub module")
        draft = Path(tempfile.mkdtemp(prefix=".export-", dir=work))
        with _shared.started(
            {"export": command("export", {"draft": str(draft), "encoder": str(encoder)})}
        ):
            (draft / "module").rename(module)
        shutil.rmtree(draft)
    return module


# The two measurements


def steady(options: argparse.Namespace, config: dict[str, Any]) -> None:
    """Prints examples/s of both sides and their ratio, round by round the same turn for each."""
    folder = Path(config["folder"])
    prepared = _shared.our_preparation(Path(config["rows"]), Path(config["module"]), folder)
    job = _shared.our_job(prepared, folder, threads=options.threads, precision=options.precision)
    rounds = {"rounds": options.rounds}
    commands = {
        TUTORIAL: command("tutorial", config | rounds | {"steps": options.steps}),
        OURS: command("ours", {"job": job.to_plain(), "steps": options.our_steps}),
    }
    with _shared.started(commands) as sides:
        answers = _shared.alternate(sides, rounds=options.rounds)
    theirs, ours = _shared.rates(answers[TUTORIAL]), _shared.rates(answers[OURS])
    ratios = [b / a for a, b in zip(theirs, ours, strict=True)]
    print("\n## Training in steady state\n")
    print(
        _shared.table(
            ["", "examples/s", "steps a turn", "ratio"],
            [
                [TUTORIAL, _shared.spread(theirs), str(options.steps), ""],
                [OURS, _shared.spread(ours), str(options.our_steps), _shared.spread(ratios, 2)],
            ],
        )
    )
    print(f"\nMedian (least to greatest) of {options.rounds} turns each, after one of warm-up.")


def trials(options: argparse.Namespace, config: dict[str, Any]) -> None:
    """Prints seconds and validation average precision of a whole trial, seed by seed."""
    found: dict[str, list[dict[str, float]]] = {TUTORIAL: [], OURS: []}
    used: list[dict[str, float]] = []
    for number in range(options.seeds):
        run = config | {"seed": _shared.SEED + number, "epochs": options.epochs}
        for name, task in ((TUTORIAL, "tutorial-trial"), (OURS, "our-trial")):
            with tempfile.TemporaryDirectory(dir=config["folder"]) as fresh:
                begun = time.perf_counter()
                side = Side(command(task, run | {"folder": fresh}))
                answer = side.receive()
                answer["seconds"] = time.perf_counter() - begun
                answer |= side.receive()
                found[name].append(answer)
                if name == OURS and not number:
                    used.append(side.turn())
                side.close()
            _shared.say(
                f"seed {run['seed']}: {name}: {answer['seconds']:.0f} s, average precision "
                f"{answer['average_precision']:.4f}"
            )
    print(f"\n## A whole trial: {options.rows:,} rows, {options.epochs} epochs\n")
    print(_shared.table(*_trial_table(found, used)))
    difference = _mean(found[OURS]) - _mean(found[TUTORIAL])
    print(
        f"\nMean average precision of {options.seeds} seeds on {options.validation:,} rows: "
        f"ours is {difference:+.4f} from the tutorial's. The repeated seed on the used actor "
        f"gave {used[0]['average_precision']:.4f}, and on the fresh one "
        f"{found[OURS][0]['average_precision']:.4f}."
    )


def _trial_table(
    found: Mapping[str, Sequence[Mapping[str, float]]], used: Sequence[Mapping[str, float]]
) -> tuple[list[str], list[list[str]]]:
    theirs = [answer["seconds"] for answer in found[TUTORIAL]]
    whole = [answer["seconds"] for answer in found[OURS]]
    prepared = [answer["seconds"] - answer["preparing"] for answer in found[OURS]]

    def line(name: str, seconds: Sequence[float], scores: Sequence[Mapping[str, float]]) -> Any:
        ratios = [a / b for a, b in zip(theirs, seconds, strict=False)]
        values = _shared.spread([score["average_precision"] for score in scores], 4)
        ratio = "" if name == TUTORIAL else _shared.spread(ratios, 2)
        return [name, _shared.spread(seconds), values, ratio]

    again = [answer["fitting"] for answer in used]
    return ["", "seconds", "average precision", "times as fast"], [
        line(TUTORIAL, theirs, found[TUTORIAL]),
        line(f"{OURS}, preparation included", whole, found[OURS]),
        line(f"{OURS}, prepared once a sweep", prepared, found[OURS]),
        line(f"{OURS}, used actor", again, used),
    ]


def _mean(answers: Sequence[Mapping[str, float]]) -> float:
    return statistics.fmean(answer["average_precision"] for answer in answers)


# The program


def command(task: str, config: Mapping[str, Any]) -> list[str]:
    """The command line of one side."""
    return [sys.executable, "-m", "benchmarks.recipe", "--side", task, json.dumps(config)]


def serve(task: str, config: Mapping[str, Any]) -> None:
    """What a side's own process does."""
    channel = Channel()
    if task == "ours":
        _shared.our_turns(channel, config["job"], steps=config["steps"], batch_size=BATCH)
        return
    tasks = {
        "export": export_module,
        "tutorial": tutorial_turns,
        "tutorial-trial": tutorial_trial,
        "our-trial": our_trial,
    }
    tasks[task](channel, config)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--steady", action="store_true", help="examples/s, taking turns (default)")
    which.add_argument("--trial", action="store_true", help="whole trials")
    _shared.add_input_options(parser)
    parser.add_argument("--rows", type=int, default=6000, help="training rows")
    parser.add_argument("--validation", type=int, default=4000, help="validation rows")
    parser.add_argument("--epochs", type=int, default=2, help="--trial: passes over the rows")
    parser.add_argument("--seeds", type=int, default=3, help="--trial: trials a side")
    parser.add_argument("--steps", type=int, default=15, help="--steady: the tutorial's, a turn")
    parser.add_argument("--our-steps", type=int, default=94, help="--steady: ours, a turn")
    parser.add_argument("--rounds", type=int, default=6, help="--steady: turns each")
    parser.add_argument("--threads", type=int, default=_shared.cores(), help="ours")
    parser.add_argument("--precision", help="handed to our side; the tutorial is float32")
    options = parser.parse_args()
    found, work = _shared.inputs(options), _shared.work_folder(options)
    module = hub_module(found.encoder, work)
    with tempfile.TemporaryDirectory() as folder:
        rows = _shared.cut_rows(
            found.questions, Path(folder), train=options.rows, validation=options.validation
        )
        config = {
            "rows": str(rows),
            "module": str(module),
            "folder": folder,
            "threads": options.threads,
            "precision": options.precision,
        }
        (trials if options.trial else steady)(options, config)
    print(f"\n{_shared.machine()}; {_shared.versions('tensorflow', 'tf-keras')}.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        serve(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main()
