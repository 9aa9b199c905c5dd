"""The naive side of `benchmarks.sweep`: Ray's own searcher and scheduler around the tutorial.

What a user writes today: a function trainable that does the tutorial's recipe and reports every
epoch, `OptunaSearch`, `ASHAScheduler`. A trial has the whole machine, like ours. The rows it is
validated on are predicted once an epoch, for scikit-learn's average precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks import _tutorial
from benchmarks._curves import Journal
from benchmarks._sides import Channel
from benchmarks._tutorial import BATCH


def serve(channel: Channel, config: Mapping[str, Any]) -> None:
    """Runs the whole search; every report is in the journal."""
    import ray
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    ray.init(address="local", include_dashboard=False, log_to_driver=False)
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(trainable, fixed=dict(config)), {"cpu": config["threads"]}
        ),
        param_space=_space(config["space"]),
        tune_config=tune.TuneConfig(
            metric="average_precision",
            mode="max",
            search_alg=OptunaSearch(
                points_to_evaluate=[dict(config["baseline"])], seed=config["seed"]
            ),
            scheduler=ASHAScheduler(
                time_attr="training_iteration",
                max_t=config["epochs"],
                grace_period=1,
                reduction_factor=3,
            ),
            num_samples=config["trials"],
            time_budget_s=config["naive_seconds"],
        ),
        run_config=tune.RunConfig(storage_path=config["folder"], name="tune", verbose=0),
    )
    errors = tuner.fit().errors
    ray.shutdown()
    if errors and not Journal(config["journal"]).read():
        raise errors[0]
    # What failed beside others that did not would not stop such a user either.
    channel.send({"done": True, "failed": len(errors)})


def trainable(config: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """The recipe with the searched parameters; its sequence length is what it pads to."""
    import tensorflow as tf
    import tf_keras
    from ray import tune
    from sklearn.metrics import average_precision_score

    length = config["max_seq_length"]
    journal, trial = Journal(fixed["journal"]), tune.get_context().get_trial_id()
    tf_keras.utils.set_random_seed(fixed["seed"])
    model, bert_layer = _tutorial.model_of(
        fixed["module"],
        length=length,
        dropout=config["dropout"],
        learning_rate=config["learning_rate"],
    )
    features = _tutorial.feature_map(bert_layer, length=length)
    train, _ = _tutorial.rows_of(fixed["rows"], "train")
    valid, labels = _tutorial.rows_of(fixed["rows"], "validation")
    train = train.map(features, num_parallel_calls=tf.data.AUTOTUNE).shuffle(1000)
    valid = valid.map(features, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH)

    class Reporting(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            predicted = model.predict(valid.prefetch(tf.data.AUTOTUNE), verbose=0)[:, 0]
            value = float(average_precision_score(labels, predicted))
            journal.report(trial, epoch + 1, value)
            tune.report({"average_precision": value})

    model.fit(
        train.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE),
        epochs=fixed["epochs"],
        callbacks=[Reporting()],
        verbose=0,
    )


def _space(space: Mapping[str, Any]) -> dict[str, Any]:
    from ray import tune

    def domain(entry: Any) -> Any:
        if isinstance(entry, list):
            return tune.choice(entry)
        draw = tune.loguniform if entry.get("log") else tune.uniform
        return draw(entry["low"], entry["high"])

    return {name: domain(entry) for name, entry in space.items()}
