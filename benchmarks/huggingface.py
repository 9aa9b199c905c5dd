"""Transformers on PyTorch against ours: the same encoder, rows, batches and hyperparameters.

    python -m venv ENV
    ENV/bin/pip install torch==2.13.0 transformers scikit-learn pandas    # a CPU build of PyTorch
    python -m benchmarks.huggingface --python ENV/bin/python

`--python` is the interpreter of Transformers' own environment; this program and our side run in
bertsweep's. Both sides train the very same length-grouped batches of 32 in the same order, padded
to their longest row, cut at 128, with as many threads. Transformers has its best: a bare loop
around `BertForSequenceClassification` (no `Trainer`), scaled-dot-product attention, fused AdamW
without decay, tokens made beforehand, float32 and bfloat16 autocast. Every side has one logit,
dropout 0.5 before it, 0.1 in its encoder, a learning rate of 2e-5 and begins with our head, so that
the losses can be compared. All processes are alive and take turns, the first of which is left out;
every turn of every side trains the same rows.

Take the numbers of a machine that does nothing else: PyTorch's threads wait for each other, and
lose more than TensorFlow's to whatever else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _inputs, _ours, _sides, _tables
from benchmarks._sides import Channel

LENGTH, BATCH, DROPOUT, LEARNING_RATE = 128, 32, 0.5, 2e-5
PYTHON = "TRANSFORMERS_PYTHON"
REMEDY = (
    "Make the environment as benchmarks/huggingface.py says, and give its interpreter with "
    f"--python or in {PYTHON}."
)
THEIRS = {"fp32": "Transformers, float32", "bf16": "Transformers, bfloat16 autocast"}


# The side of Transformers, in its own environment


def their_turns(channel: Channel, config: Mapping[str, Any]) -> None:
    """Trains `steps` of the batches that the plan names whenever it is its turn."""
    import numpy
    import torch
    import transformers
    from transformers import BertForSequenceClassification

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(config["threads"])
    torch.manual_seed(_inputs.SEED)
    plan = json.loads(Path(config["plan"]).read_text(encoding="utf-8"))
    rows, labels = _their_rows(config, plan["lengths"])
    model = BertForSequenceClassification.from_pretrained(
        config["encoder"], num_labels=1, classifier_dropout=DROPOUT, dtype=torch.float32
    )
    head = torch.from_numpy(numpy.load(config["head"]).T.copy())
    model.classifier.weight.data.copy_(head)
    model.classifier.bias.data.zero_()
    model.train()
    adam = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0, fused=True)
    batches = iter(plan["batches"])

    def step(batch: Sequence[int]) -> Any:
        ids = torch.nn.utils.rnn.pad_sequence([rows[row] for row in batch], batch_first=True)
        mask = (ids != 0).long()  # [PAD] is 0 in BERT's vocabularies, and nothing else is
        with torch.autocast("cpu", torch.bfloat16, enabled=config["precision"] == "bf16"):
            logits = model(input_ids=ids, attention_mask=mask).logits.squeeze(-1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), labels[batch])
        loss.backward()
        adam.step()
        adam.zero_grad(set_to_none=True)
        return loss.detach()

    said = f"torch {torch.__version__}, transformers {transformers.__version__}"
    channel.send({"ready": True, "versions": said})
    while channel.receive() is not None:
        begun, examples, losses = time.perf_counter(), 0, []
        for _ in range(config["steps"]):
            batch = next(batches)
            losses.append(step(batch))
            examples += len(batch)
        loss = float(torch.stack(losses).mean())
        seconds = time.perf_counter() - begun
        channel.send({"examples": examples, "seconds": seconds, "loss": loss})


def _their_rows(config: Mapping[str, Any], lengths: Sequence[int]) -> tuple[list[Any], Any]:
    """Token ids of each training row, and all labels; refuses to go on where lengths differ."""
    import pandas as pd
    import torch
    from transformers import AutoTokenizer

    frame = pd.read_csv(Path(config["rows"]) / "train.csv", keep_default_na=False)
    tokenizer = AutoTokenizer.from_pretrained(config["encoder"])
    encoded = tokenizer(frame["text"].tolist(), truncation=True, max_length=LENGTH, padding=False)[
        "input_ids"
    ]
    if [len(ids) for ids in encoded] != list(lengths):
        raise SystemExit("both sides must train on the same word pieces, but their lengths differ")
    return [torch.tensor(ids) for ids in encoded], torch.tensor(frame["label"].to_numpy("float32"))


# What both train on


def write_plan(tokens_folder: Path, target: Path, steps: int) -> None:
    """The rows of each of the first `steps` batches that our trainer makes, and all lengths."""
    from bertsweep.tokens import Tokens

    lengths = Tokens.open(tokens_folder, "train").lengths(LENGTH)
    batches: list[list[int]] = []
    for epoch in _epochs(lengths):
        batches += epoch
        if len(batches) >= steps:
            break
    plan = {"lengths": lengths.tolist(), "batches": batches[:steps]}
    target.write_text(json.dumps(plan), encoding="utf-8")


def _epochs(lengths: Any) -> Iterator[list[list[int]]]:
    from itertools import count

    from bertsweep.seeds import derive
    from bertsweep.training.batches import epoch_batches

    seed = derive(_inputs.SEED, "batches")
    for epoch in count():
        batches = epoch_batches(lengths, batch_size=BATCH, seed=seed, epoch=epoch)
        yield [batch.tolist() for batch in batches]


# The measurement


def measure(options: argparse.Namespace, rows: Path, encoder: Path) -> None:
    """Prints examples/s of every side and ours over theirs, round by round the same rows."""
    prepared = _ours.preparation(rows, encoder, rows)
    steps = {"steps": options.steps}
    write_plan(prepared.tokens, rows / "plan.json", options.steps * (options.rounds + 1))
    common = {
        "rows": str(rows),
        "encoder": str(encoder),
        "plan": str(rows / "plan.json"),
        "head": str(rows / "head.npy"),
        "threads": options.threads,
    }
    ours, theirs = dict[str, list[str]](), dict[str, list[str]]()
    for precision in options.ours or [None]:
        job = _ours.trial_job(
            prepared, rows / "sweep", threads=options.threads, precision=precision
        )
        config = steps | {"job": job.to_plain(), "head": common["head"]}
        ours[f"bertsweep, {precision or 'float32'}"] = _command(sys.executable, "ours", config)
    for precision in options.theirs:
        config = common | steps | {"precision": precision}
        theirs[THEIRS[precision]] = _command(options.python, "theirs", config)
    # Ours first: theirs begins with its head.
    with _sides.started(ours | theirs, HF_HUB_OFFLINE="1") as sides:
        answers = _sides.alternate(sides, rounds=options.rounds)
    trained = {name: [turn["examples"] for turn in turns] for name, turns in answers.items()}
    if len({str(examples) for examples in trained.values()}) > 1:
        raise SystemExit(f"every side must train the same rows a turn, but got {trained}")
    print("\n## Training against Transformers\n")
    print(_tables.table(*_table(answers, list(theirs), list(ours))))
    print(
        f"\nMedian (least to greatest) of {options.rounds} turns of {options.steps} steps each, "
        f"after one of warm-up; {options.threads} threads a side."
    )


def _table(
    answers: Mapping[str, Sequence[Mapping[str, Any]]], theirs: Sequence[str], ours: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    rates = {name: _tables.rates(turns) for name, turns in answers.items()}
    head = ["", "examples/s", *(f"over {name}" for name in theirs), "mean loss"]
    lines = []
    for name in [*theirs, *ours]:
        ratios = [
            _tables.spread([a / b for a, b in zip(rates[name], rates[other], strict=True)], 2)
            if name in ours
            else ""
            for other in theirs
        ]
        loss = sum(turn["loss"] for turn in answers[name]) / len(answers[name])
        lines.append([name, _tables.spread(rates[name]), *ratios, f"{loss:.3f}"])
    return head, lines


# The program


def _command(python: str, side: str, config: Mapping[str, Any]) -> list[str]:
    return [python, "-m", "benchmarks.huggingface", "--side", side, json.dumps(config)]


def serve(side: str, config: Mapping[str, Any]) -> None:
    """What a side's own process does."""
    if side == "theirs":
        their_turns(Channel(), config)
    else:
        job, head = config["job"], Path(config["head"])
        _ours.turns(Channel(), job, steps=config["steps"], batch_size=BATCH, head=head)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _inputs.add_options(parser)
    parser.add_argument(
        "--python",
        default=os.environ.get(PYTHON),
        help=f"interpreter of Transformers' environment; else ${PYTHON}",
    )
    parser.add_argument("--rows", type=int, default=6000, help="training rows")
    parser.add_argument("--steps", type=int, default=47, help="optimizer steps a turn")
    parser.add_argument("--rounds", type=int, default=8, help="turns each")
    parser.add_argument("--threads", type=int, default=_tables.cores(), help="of every side")
    parser.add_argument("--theirs", nargs="+", choices=list(THEIRS), default=list(THEIRS))
    parser.add_argument("--ours", nargs="+", metavar="PRECISION", help="handed to our side as is")
    options = parser.parse_args()
    if options.python is None:
        _inputs.absent("the environment of Transformers: absent", REMEDY)
    versions = _their_versions(options.python)
    found = _inputs.inputs(options)
    with tempfile.TemporaryDirectory() as folder:
        rows = _inputs.cut_rows(
            found.questions, Path(folder), train=options.rows, validation=_inputs.TEST_ROWS
        )
        measure(options, rows, found.encoder)
    print(f"\n{_tables.machine()}; {_tables.versions('tensorflow')}, {versions}.")


def _their_versions(python: str) -> str:
    """Versions in Transformers' environment; ends the program where it is not one."""
    asked = "from benchmarks._tables import versions; print(versions('torch', 'transformers'))"
    done = subprocess.run(
        [os.fspath(python), "-c", asked],
        capture_output=True,
        text=True,
        cwd=_inputs.REPOSITORY,
        check=False,
    )
    if done.returncode:
        _inputs.absent(f"torch and transformers: absent from {python}", REMEDY)
    return done.stdout.strip()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        serve(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main()
