"""What is found in a space, in data, and in a sweep."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bertsweep
from bertsweep.data.statistics import statistics
from bertsweep.encoders.variables import shapes
from bertsweep.errors import InputError
from bertsweep.exploration import Exploration, charts
from bertsweep.exploration.model_summary import model_summary
from bertsweep.paths import cache_root
from tests.support import clisweeps
from tests.support.datafiles import questions, written


def test_lengths_are_those_that_training_sees(of_sweep: Exploration) -> None:
    plain = of_sweep.to_plain()
    assert of_sweep.measured
    for name, split in statistics(of_sweep.dataset)["splits"].items():
        assert plain["splits"][name]["words"] == split["words"]
    example = plain["word_pieces"]
    count = sum(example["mask"])
    assert (example["pieces"][0], example["pieces"][count - 1]) == ("[CLS]", "[SEP]")
    text = example["texts"][0].lower().replace("?", " ?")
    assert " ".join(example["pieces"][1 : count - 1]).replace(" ##", "") == text


def test_what_is_cut_falls_and_what_it_costs_rises(of_sweep: Exploration) -> None:
    rows = of_sweep.truncation
    lengths = [row["max_seq_length"] for row in rows]
    assert lengths == sorted(lengths)
    assert set(of_sweep.subject.lengths) == {n["max_seq_length"] for n in rows if n["in_space"]}
    cut = [row["cut"]["train"] for row in rows]
    cost = [row["cost"] for row in rows]
    assert cut == sorted(cut, reverse=True)
    assert cost == sorted(cost)
    assert (cut[-1], cost[-1]) == (0.0, 1.0)
    of_16 = next(row for row in rows if row["max_seq_length"] == 16)
    histogram = of_sweep.tokens["train"]
    assert (of_16["cut"]["train"] > 0) is (histogram["max"] > 16)


def test_rows_that_every_good_trial_gets_wrong_are_doubtful(of_sweep: Exploration) -> None:
    missed = of_sweep.missed
    assert missed is not None
    assert missed.trials == ("t0001", "t0000")  # the better half of three, at least two
    frame = of_sweep.dataset.splits["validation"]
    assert {row["text"] for row in missed.rows} == set(frame["text"].iloc[10:20])
    given = dict(zip(frame["text"], frame["label"], strict=True))
    for row in missed.rows:
        assert row["label"] == given[row["text"]] != row["predicted"]
    said = [row["probability"] for row in missed.rows]
    assert said == sorted(said)


def test_the_parameters_are_those_of_the_encoder_and_a_head(of_sweep: Exploration) -> None:
    from safetensors.numpy import load_file

    encoder = of_sweep.subject.encoder_at_hand(cache_root(), print)
    assert encoder is not None
    assert of_sweep.model is not None
    count = sum(array.size for array in load_file(encoder.weights).values())
    assert of_sweep.model["parameters"] == count + encoder.config.hidden_size + 1
    layers = of_sweep.model["layers"]
    assert sum(one["parameters"] for one in layers) == of_sweep.model["parameters"]


def test_fewer_layers_train_fewer_parameters() -> None:
    from bertsweep.encoders.tiny import config

    sizes = config(1000)
    found = model_summary(sizes, classes=3, trainable=("all", 0, 1, 2))["trainable"]
    pooler = sum(np.prod(s) for name, s in shapes(sizes).items() if "pooler" in name)
    assert found["0"] == pooler + 3 * (sizes.hidden_size + 1)
    assert found["1"] - found["0"] == found["2"] - found["1"]
    assert found["2"] < found["all"]


def test_data_alone_are_looked_at_without_an_encoder(tmp_path: Path) -> None:
    found = bertsweep.explore(written(tmp_path, questions(200).assign(more="x y z")))
    plain = found.to_plain()
    assert not plain["measured"]
    assert (plain["model"], plain["word_pieces"], plain["missed"]) == (None, None, None)
    assert "'text', which has the longest" in " ".join(plain["guessed"])
    assert {row["label"] for row in plain["samples"]} == {0, 1}
    assert {row["split"] for row in plain["samples"]} == {"train"}


def test_leaks_that_were_left_out_are_counted(tmp_path: Path) -> None:
    frame = questions(46)
    train = written(tmp_path, frame[:40], "train.csv")
    written(tmp_path, frame[36:].assign(text=frame["text"].str.upper()), "test.csv")
    found = bertsweep.explore(train)
    assert {one["of"] for one in found.leaks} == {"test"}
    assert sum(one["rows"] for one in found.leaks) == 4
    assert len(found.dataset.splits["test"]) == 6


def test_options_without_effect_are_refused(tmp_path: Path) -> None:
    folder = clisweeps.finished_sweep(tmp_path)
    with pytest.raises(InputError, match="--label has no effect"):
        bertsweep.explore(folder, label="x")
    with pytest.raises(InputError, match="--set has no effect"):
        bertsweep.explore(folder, settings=["budget.trials=2"])
    with pytest.raises(InputError, match="there is no file 'nothing'"):
        bertsweep.explore("nothing", storage=tmp_path)


def test_counts_of_lengths_are_drawn_on_a_logarithmic_axis(of_sweep: Exploration) -> None:
    made = {chart.name: chart for chart in charts(of_sweep)}
    assert {name for name, one in made.items() if one.log} == {"words", "characters", "word_pieces"}
    for kind in ("words", "characters", "word_pieces"):
        for one in made[kind].series:
            assert sum(one.y) == len(of_sweep.dataset.splits[one.name])
    for one in made["labels"].series:
        assert sum(one.y) == pytest.approx(1)
