"""What rows, classes, lengths and encoder decide."""

from __future__ import annotations

import numpy as np
import pytest

from bertsweep.draft.choices import Classes, split_of, training_of
from bertsweep.draft.effort import Effort, Machine, Sizes, effort, one_training
from bertsweep.draft.lengths import Lengths, candidates
from bertsweep.spec.data_models import Split


@pytest.mark.parametrize(
    ("rows", "positive", "metric", "scored"),
    [
        ({0: 940, 1: 60}, 1, "val_average_precision", 1),
        ({0: 60, 1: 940}, 1, "val_average_precision", 0),
        ({0: 520, 1: 480}, 1, "val_accuracy", 1),
        ({"a": 100, "b": 120, "c": 90}, None, "val_accuracy", None),
        ({"a": 100, "b": 1200, "c": 90}, None, "val_f1", None),
    ],
)
def test_the_metric_suits_the_classes(rows, positive, metric, scored) -> None:
    classes = Classes(rows, positive)
    assert classes.metric()[0] == metric
    assert classes.scored() == scored
    assert classes.skewed is (metric != "val_accuracy")


@pytest.mark.parametrize("rows", [200, 5_000, 150_000, 1_300_000])
def test_sizes_of_the_split_suit_the_rows_and_are_valid(rows: int) -> None:
    sizes = dict(split_of(rows, ()).sizes)
    Split.model_validate(sizes)
    held_out = [size * rows if size < 1 else size for size in (sizes["validation"], sizes["test"])]
    assert all(40 <= each <= 10_000 for each in held_out)
    assert ("train" in sizes) is (rows > 1_000_000)
    assert set(split_of(rows, ("test",)).sizes) == set(sizes) - {"test"}


def lengths(*values: int) -> Lengths:
    return Lengths(np.sort(np.asarray(values)), measured=True)


def test_short_texts_have_one_length_that_holds_them() -> None:
    assert candidates(lengths(*[10] * 95, *[33] * 5), 512) == (40,)


def test_long_texts_have_a_shorter_one_that_saves_word_pieces() -> None:
    shorter, longer = candidates(lengths(*range(10, 1010)), 512)
    assert longer == 512
    assert lengths(*range(10, 1010)).mean(shorter) < 0.9 * lengths(*range(10, 1010)).mean(512)
    assert candidates(lengths(*[200] * 100), 512) == (200,)


def test_shares_that_are_cut_are_of_the_rows() -> None:
    four = lengths(10, 20, 30, 40)
    assert [four.cut(length) for length in (8, 20, 39, 40)] == [1.0, 0.5, 0.25, 0.0]
    assert four.mean(20) == pytest.approx(17.5)


def test_small_encoders_learn_at_larger_rates() -> None:
    def lowest(layers: int, hidden: int, *, scratch: bool = False) -> float:
        sizes = Sizes(layers, hidden, known=True)
        found = training_of(sizes, rows=5_000, longest=64, scratch=scratch)
        assert (
            float(found.learning_rate[0]) < float(found.usual_rate) < float(found.learning_rate[1])
        )
        return float(found.learning_rate[0])

    assert lowest(24, 1024) < lowest(12, 768) < lowest(6, 384) < lowest(2, 64, scratch=True)


def test_the_name_of_an_encoder_that_is_not_here_tells_its_sizes() -> None:
    def sizes(name: str) -> tuple[int, int]:
        found = Sizes.of(None, name)
        assert not found.known
        return found.layers, found.hidden

    assert sizes("https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/2") == (12, 768)
    assert sizes("https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-4_H-512_A-8/2") == (
        4,
        512,
    )
    assert sizes("hf://sentence-transformers/all-MiniLM-L6-v2") == (6, 384)
    assert sizes("hf://google-bert/bert-large-uncased") == (24, 1024)
    assert sizes("hf://someone/something") == (12, 768)
    # BERT base: 85 of its 110 million parameters are in the layers.
    assert Sizes.of(None, "bert-base").parameters == pytest.approx(85e6, rel=0.01)


def test_the_operations_are_those_of_the_layers_products() -> None:
    sizes = Sizes(6, 384, known=True)
    operations, steps = one_training(
        sizes, rows=3200, validation=0, tokens=24, epochs=2, batch=32, every=0.25
    )
    assert steps == 200
    products = 6 * sizes.parameters * 24 * 6400
    assert products < operations < 1.02 * products
    more, _ = one_training(
        sizes, rows=3200, validation=800, tokens=24, epochs=2, batch=32, every=0.25
    )
    # Eight evaluations of a quarter of the rows, a third of a step's cost each.
    assert more == pytest.approx(operations * 4 / 3)


def test_twice_the_work_takes_longer_and_stopping_early_less() -> None:
    def cost(operations: float) -> Effort:
        return effort(operations, 100, trials=10, repeats=12, machine=Machine(2, 0))

    small, large = cost(1e9), cost(1e13)
    assert 0 < small.training < large.training
    for each in (small, large):
        assert each.low < each.high == pytest.approx(22 * each.training)
