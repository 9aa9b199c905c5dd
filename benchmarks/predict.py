"""Labelling a file against `model.predict` as the tutorial calls it, with the same weights.

    python -m benchmarks.predict [--precision mixed_bfloat16]

The tutorial's side is its tf_keras model over a hub module with MiniLM's weights: float32, batches
of 32, every row padded to 128 word pieces. It is measured twice: on features that were made before
the clock (`model.predict` alone), and through the tutorial's own input (FullTokenizer in
`tf.py_function`). Ours is the whole of `bertsweep predict --out`: a csv is read, labelled and
written. Both heads have the same weights, and the answers are compared. The sides take turns, a
part of the real questions each; the first turn is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import _inputs, _sides, _tables, _tutorial
from benchmarks._sides import Channel
from benchmarks._tutorial import BATCH, LENGTH

READY, PIPELINE, OURS = "model.predict, features ready", "model.predict, tutorial's input", "ours"
COMPARED = 256


def tutorial(channel: Channel, config: Mapping[str, Any]) -> None:
    """Predicts the same rows in every turn; the head is the checkpoint's."""
    import numpy as np
    import tensorflow as tf

    from bertsweep.checkpoints import Checkpoint

    model, bert_layer = _tutorial.model_of(config["module"])
    arrays = Checkpoint.open(Path(config["checkpoint"])).arrays()
    model.get_layer("output").set_weights([arrays["head/kernel"], arrays["head/bias"]])
    rows, _ = _tutorial.rows_of(config["folder"], "theirs")
    rows = rows.map(_tutorial.feature_map(bert_layer), num_parallel_calls=tf.data.AUTOTUNE)
    batches = rows.batch(BATCH)
    if config["ready"]:
        made = [features for features, _ in batches.as_numpy_iterator()]
        batches = {name: np.concatenate([part[name] for part in made]) for name in made[0]}
    channel.send({"ready": True})
    while channel.receive() is not None:
        begun = time.perf_counter()
        told = model.predict(batches, batch_size=BATCH if config["ready"] else None, verbose=0)
        seconds = time.perf_counter() - begun
        channel.send(answer(len(told), seconds, told[:COMPARED, 0].tolist()))


def ours(channel: Channel, config: Mapping[str, Any]) -> None:
    """Labels a csv in every turn, from file to file."""
    import csv

    from bertsweep.checkpoints import Checkpoint
    from bertsweep.data import open_rows
    from bertsweep.predict import Predictor, open_output, predict_rows
    from bertsweep.spec.data_models import Data

    folder = Path(config["folder"])
    predictor = Predictor(Checkpoint.open(Path(config["checkpoint"])))
    source, out = str(folder / "ours.csv"), folder / "labelled.csv"
    channel.send({"ready": True})
    while channel.receive() is not None:
        begun = time.perf_counter()
        with (
            open_rows(source, Data(source=source, text=("text",)), cache=folder) as rows,
            open_output(str(out), predictor.labels, force=True) as output,
        ):
            done = predict_rows(predictor, rows, output)
        seconds = time.perf_counter() - begun
        with out.open(encoding="utf-8", newline="") as file:
            told = [float(row["probability_1"]) for row in csv.DictReader(file)]
        channel.send(answer(done.rows, seconds, told[:COMPARED]))


def answer(rows: int, seconds: float, told: list[float]) -> dict[str, Any]:
    """What a side says of its turn, with the first probabilities."""
    return {"examples": rows, "seconds": seconds, "told": told}


def make_checkpoint(encoder: Path, folder: Path, precision: str) -> Path:
    """Writes a checkpoint of the encoder under a head that is not trained."""
    import numpy as np

    from bertsweep import checkpoints, encoders
    from bertsweep.checkpoints import CheckpointRecord, EncoderRecord
    from bertsweep.encoders import native
    from bertsweep.model.classifier import Classifier
    from bertsweep.spec.models import Encoder

    prepared = encoders.prepare_encoder(
        Encoder(source=str(encoder)), cache=folder / "cache", base=Path.cwd()
    )
    classifier = Classifier(native.build(prepared), prepared.config, classes=2)
    classifier.reset(seed=_inputs.SEED, dropout=0.0)
    record = CheckpointRecord(
        labels=(0, 1),
        text=("text",),
        threshold=0.5,
        params={"max_seq_length": LENGTH},
        encoder=EncoderRecord(prepared.config, prepared.lowercase),
        compute={"precision": precision},
    )
    return checkpoints.write_best(
        folder,
        record,
        arrays={name: np.array(value.numpy()) for name, value in classifier.weights.items()},
        vocabulary=prepared.vocabulary.read_bytes(),
    )


def command(task: str, config: Mapping[str, Any]) -> list[str]:
    """The command line of one side."""
    return [sys.executable, "-m", "benchmarks.predict", "--side", task, json.dumps(config)]


def serve(task: str, config: Mapping[str, Any]) -> None:
    """What a process of its own does."""
    channel = Channel()
    if task == "checkpoint":
        made = make_checkpoint(Path(config["encoder"]), Path(config["folder"]), config["precision"])
        channel.send({"checkpoint": str(made)})
        return
    {"tutorial": tutorial, "ours": ours}[task](channel, config)


def write_rows(questions: Path, folder: Path, *, theirs: int, ours: int) -> None:
    """Writes theirs.csv and ours.csv (`text`, `label`): the first rows of the questions."""
    import pandas as pd

    frame = pd.read_csv(questions, keep_default_na=False, nrows=max(theirs, ours))
    frame = frame.rename(columns={"question_text": "text", "target": "label"})[["text", "label"]]
    for name, rows in (("theirs", theirs), ("ours", ours)):
        frame.head(rows).to_csv(folder / f"{name}.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _inputs.add_options(parser)
    parser.add_argument("--rows", type=int, default=512, help="the tutorial's rows, a turn")
    parser.add_argument("--our-rows", type=int, default=8000, help="ours, a turn")
    parser.add_argument("--rounds", type=int, default=5, help="turns each")
    parser.add_argument("--precision", default="float32", help="ours; the tutorial is float32")
    options = parser.parse_args()
    found, work = _inputs.inputs(options), _inputs.work_folder(options)
    module = _tutorial.hub_module(found.encoder, work)
    with tempfile.TemporaryDirectory() as folder:
        write_rows(found.questions, Path(folder), theirs=options.rows, ours=options.our_rows)
        config: dict[str, Any] = {"folder": folder, "module": str(module)}
        made = {"encoder": str(found.encoder), "precision": options.precision}
        side = _sides.Side(command("checkpoint", config | made))
        config |= side.receive()
        side.close()
        commands = {
            READY: command("tutorial", config | {"ready": True}),
            PIPELINE: command("tutorial", config | {"ready": False}),
            OURS: command("ours", config),
        }
        with _sides.started(commands) as sides:
            answers = _sides.alternate(sides, rounds=options.rounds)
    rates = {name: _tables.rates(answers[name]) for name in commands}
    lines = []
    for name, found_rates in rates.items():
        ratios = [b / a for a, b in zip(found_rates, rates[OURS], strict=True)]
        turn = str(answers[name][0]["examples"])
        ratio = "" if name == OURS else _tables.spread(ratios, 2)
        lines.append([name, _tables.spread(found_rates), turn, ratio])
    print("\n## Labelling rows\n")
    print(_tables.table(["", "rows/s", "rows a turn", "ours is faster by"], lines))
    first = [answers[name][0]["told"] for name in (READY, OURS)]
    furthest = max(abs(a - b) for a, b in zip(*first, strict=False))
    print(
        f"\nMedian (least to greatest) of {options.rounds} turns each, after one of warm-up; ours "
        f"in {options.precision}. Probabilities of the first rows differ by {furthest:.1g} at most."
    )
    print(f"\n{_tables.machine()}; {_tables.versions('tensorflow', 'tf-keras')}.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        serve(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main()
