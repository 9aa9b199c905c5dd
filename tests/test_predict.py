"""What a checkpoint predicts is what its sweep reported: trained for real on the built-in data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from bertsweep import checkpoints, metrics
from bertsweep.checkpoints import Checkpoint
from bertsweep.data import builtin
from bertsweep.errors import InputError
from bertsweep.predict import Predictor
from bertsweep.sweep.materials import Prepared
from bertsweep.trial.job import TrialJob
from bertsweep.trial.session import Session
from bertsweep.trial.workbench import Workbench
from tests.support.robertas import write_model
from tests.support.trials import proposal, small_job, small_prepared

WEAK, USUAL = 2e-5, 3e-3
SCORES: dict[str, Callable[..., float]] = {
    "val_accuracy": sk.accuracy_score,
    "val_precision": sk.precision_score,
    "val_recall": sk.recall_score,
    "val_f1": sk.f1_score,
    "val_f1_at_half": sk.f1_score,
    "val_precision_at_recall": sk.precision_score,
}


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return small_prepared()


@pytest.fixture(scope="module")
def bench(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return Workbench(small_job(tmp_path_factory.mktemp("bench"), prepared))


def train(bench: Workbench, job: TrialJob, *, learning_rate: float = WEAK) -> list[dict[str, Any]]:
    """Every report of a trial of one epoch, a dozen steps."""
    session = Session(bench, job, proposal(learning_rate=learning_rate, epochs=1))
    reports = [session.next_report()]
    while not reports[-1]["finished"]:
        reports.append(session.next_report())
    return reports


def a_job(folder: Path, prepared: Prepared, **changed: Any) -> TrialJob:
    return TrialJob.from_plain({**small_job(folder, prepared).to_plain(), **changed})


def predicted(checkpoint: Path, prepared: Prepared) -> tuple[np.ndarray, np.ndarray, Predictor]:
    """The validation rows' own class indices and those that the checkpoint predicts."""
    rows = prepared.dataset.splits["validation"]
    predictor = Predictor.open(checkpoint)
    labels = [each.label for each in predictor.predict(rows["text"].tolist())]
    return rows["label"].to_numpy(), np.array(list(map(predictor.labels.index, labels))), predictor


def test_every_metric_of_labels_is_tried_below() -> None:
    labelled = {f"val_{m.name}" for m in metrics.METRICS.values() if m.threshold is not None}
    assert set(SCORES) == labelled


@pytest.mark.parametrize(
    ("metric", "learning_rate"),
    [*((metric, WEAK) for metric in SCORES), ("val_accuracy", USUAL), ("val_f1", USUAL)],
)
def test_the_labels_score_what_the_best_report_says(
    bench: Workbench, prepared: Prepared, tmp_path: Path, metric: str, learning_rate: float
) -> None:
    rule = metrics.threshold_rule(metric)
    job = a_job(tmp_path, prepared, metric=metric, threshold_rule=rule)
    last = train(bench, job, learning_rate=learning_rate)[-1]
    wanted, labels, predictor = predicted(tmp_path / last["checkpoint"], prepared)
    more = {} if metric == "val_accuracy" else {"zero_division": 0}
    assert SCORES[metric](wanted, labels, **more) == last["best"]
    assert (predictor.threshold, predictor.threshold_rule) == (last["threshold"], rule)


@pytest.mark.slow
def test_a_checkpoint_with_a_tokenizer_of_its_own_predicts_what_was_scored(tmp_path: Path) -> None:
    folder = write_model("xlm-roberta", tmp_path / "model")
    prepared = small_prepared(f"encoder.source={folder}")
    rule = metrics.threshold_rule("val_accuracy")
    job = a_job(tmp_path, prepared, metric="val_accuracy", threshold_rule=rule)
    last = train(Workbench(job), job, learning_rate=USUAL)[-1]
    wanted, labels, _ = predicted(tmp_path / last["checkpoint"], prepared)
    assert sk.accuracy_score(wanted, labels) == last["best"]
    (tmp_path / last["checkpoint"] / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"tokenizer\.json is missing"):
        Checkpoint.open(tmp_path / last["checkpoint"])


def test_a_stated_rule_is_that_of_the_labels(
    bench: Workbench, prepared: Prepared, tmp_path: Path
) -> None:
    job = a_job(tmp_path, prepared, metric="val_average_precision", threshold_rule="accuracy")
    last = train(bench, job)[-1]
    wanted, labels, predictor = predicted(tmp_path / last["checkpoint"], prepared)
    # A weak trial labels nothing rightly as positive, so the best is to label nothing so.
    assert sk.accuracy_score(wanted, labels) >= (wanted == 0).mean()
    assert predictor.threshold_rule == "accuracy"


def test_the_labels_are_those_of_the_precision_that_was_scored(
    prepared: Prepared, tmp_path: Path
) -> None:
    rule = metrics.threshold_rule("val_f1")
    job = a_job(
        tmp_path, prepared, metric="val_f1", threshold_rule=rule, precision="mixed_bfloat16"
    )
    bench = Workbench(job)
    last = train(bench, job, learning_rate=USUAL)[-1]
    wanted, labels, predictor = predicted(tmp_path / last["checkpoint"], prepared)
    assert sk.f1_score(wanted, labels) == last["best"]
    rows = prepared.dataset.splits["validation"]["text"].tolist()
    bench.trainer.classifier.load(Checkpoint.open(tmp_path / last["checkpoint"]).arrays())
    scored = bench.trainer.evaluate(bench.validation).probabilities
    told = [each.probabilities[1] for each in predictor.predict(rows)]
    np.testing.assert_array_equal(told, scored)


def test_a_stream_says_what_predict_says_of_texts_it_reads_as_it_goes(
    bench: Workbench, prepared: Prepared, tmp_path: Path
) -> None:
    job = a_job(tmp_path, prepared)
    predictor = Predictor.open(tmp_path / train(bench, job)[-1]["checkpoint"])
    texts = prepared.dataset.splits["validation"]["text"].tolist()[:10]
    read: list[str] = []

    def reading() -> Iterator[str]:
        for text in texts:
            read.append(text)
            yield text

    stream = predictor.stream(reading(), chunk_rows=4)
    first = next(stream)
    assert read == texts[:4]
    told = [first, *stream]
    expected = predictor.predict(texts)
    assert [each.label for each in told] == [each.label for each in expected]
    probabilities = [each.probability for each in told]
    assert probabilities == pytest.approx([each.probability for each in expected], abs=1e-6)
    with pytest.raises(InputError, match="single texts"):
        next(predictor.stream(texts, texts))


def test_a_temperature_changes_probabilities_and_no_label(
    bench: Workbench, prepared: Prepared, tmp_path: Path
) -> None:
    rule = metrics.threshold_rule("val_f1")
    job = a_job(tmp_path, prepared, metric="val_f1", threshold_rule=rule)
    plain = Checkpoint.open(tmp_path / train(bench, job, learning_rate=USUAL)[-1]["checkpoint"])
    scaled = Checkpoint.open(
        checkpoints.write_best(
            tmp_path / "scaled",
            replace(plain.record, temperature=2.5),
            arrays=plain.arrays(),
            vocabulary=plain.vocabulary.read_bytes(),
        )
    )
    texts = prepared.dataset.splits["validation"]["text"].tolist()
    before, after = (Predictor(each).answers(texts) for each in (plain, scaled))
    np.testing.assert_array_equal(after.chosen, before.chosen)
    cold, warm = before.probabilities[:, 1], after.probabilities[:, 1]
    np.testing.assert_allclose(np.log(warm / (1 - warm)), np.log(cold / (1 - cold)) / 2.5, 1e-6)
    threshold = Predictor(scaled).threshold
    assert threshold is not None
    np.testing.assert_array_equal(warm >= threshold, after.chosen == 1)
    with pytest.raises(ValueError, match="temperature must be above 0"):
        replace(plain.record, temperature=0.0)


@pytest.mark.slow
def test_renaming_the_labels_leaves_every_score_as_it_was(tmp_path: Path) -> None:
    texts, labels = builtin.questions()
    frame = pd.DataFrame({"text": texts, "label": labels})
    scored, records = [], []
    for names in (("0", "1"), ("legit", "fraud")):
        path = tmp_path / f"{names[1]}.csv"
        frame.assign(label=frame["label"].map(dict(zip("01", names, strict=True)))).to_csv(path)
        renamed = small_prepared(f"data.source={path}")
        job = a_job(tmp_path / names[1], renamed)
        reports = train(Workbench(job), job, learning_rate=USUAL)
        timed = "examples_per_second"
        scored.append([{k: v for k, v in r["metrics"].items() if k != timed} for r in reports])
        records.append(Checkpoint.open(Path(job.folder) / reports[-1]["checkpoint"]).record)
    assert scored[0] == scored[1]
    assert [record.positive for record in records] == [1, "fraud"]
    assert records[0].threshold == records[1].threshold


def test_more_than_two_classes_have_neither_positive_nor_threshold(tmp_path: Path) -> None:
    texts, _ = builtin.questions()
    path = tmp_path / "three.csv"
    pd.DataFrame({"text": texts, "label": [len(text) % 3 for text in texts]}).to_csv(path)
    three = small_prepared(f"data.source={path}")
    job = a_job(tmp_path, three, metric="val_accuracy", threshold_rule=0.5)
    last = train(Workbench(job), job)[-1]
    wanted, labels, predictor = predicted(tmp_path / last["checkpoint"], three)
    assert (predictor.positive, predictor.threshold, predictor.threshold_rule) == (None,) * 3
    assert sk.accuracy_score(wanted, labels) == last["best"]
