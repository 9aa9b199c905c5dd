"""What the reference says of objectives, costs and `prefer`."""

from __future__ import annotations

from bertsweep.costs import COSTS
from bertsweep.metrics import METRICS, describe_rule
from bertsweep.spec.objective_checks import PREFIX
from bertsweep.spec.words import quoted

_SEVERAL = """\
Several objectives are a list; trials are ranked, stopped early and given a threshold by the first,
which is one of the scores above. The others are scores too, or costs:

```yaml
objective:
  - metric: val_average_precision
  - metric: latency_ms
prefer: {within: 0.01}
```

All values of a trial are those of one checkpoint, the best by the first objective. The sampler
proposes by all of them, `bertsweep best` lists the trials that no other beats in every objective
(the Pareto front), and [`prefer`](#prefer) picks the one that is used.
"""

_LATENCY = """\
Latency is measured in the trial's worker: 32 validation texts from short to long, cut and pooled as
the trial does it, from word pieces in memory to logits, in turns with the same texts as the
baseline does it. A latency is the quotient of both, text by text the median of several rounds,
times what the baseline's took when the first one was measured, so that trials compare whatever else
the machine was doing; trials of equal `max_seq_length` and `pooling` share one measurement.
"""

PREFER = """\
With several objectives, one trial of the Pareto front is delivered: what `predict`, `evaluate`,
`export` and `confirm` use. The rules:

| prefer | picks |
| --- | --- |
| `best_first` | the best by the first objective, of equals by the second, and so on |
| `{within: 0.01}` | the best by the second objective of the trials whose first is at most 0.01 \
worse than the best (in the metric's own units) |
| `knee` | the trial whose losses, each as a share of the front's range from best to worst, add \
to the least; with two objectives that is where the front bends the most |

An example, with `val_average_precision` and `latency_ms`:

| trial | average precision | ms | |
| --- | ---: | ---: | --- |
| a | 0.750 | 12.0 | on the front; `best_first` |
| b | 0.745 | 9.0 | on the front; `{within: 0.01}`: 0.005 behind, and faster than a |
| c | 0.735 | 6.0 | on the front; `knee`: losses of 0.21 + 0.14 of the ranges, those of b are \
0.07 + 0.57 |
| d | 0.680 | 5.0 | on the front |
| e | 0.730 | 9.5 | not on it: b is better in both |

"""

_THRESHOLDS = """\
With two classes, `predict` says positive from a threshold on, which is set on the validation rows
and stored in the checkpoint. A metric that scores labels has a threshold of its own, so that the
labels of `predict` score what `best` reports; another one is refused. With the other metrics it is
that of the best F1, or what `threshold` says: the best `f1`, `accuracy` or `balanced_accuracy`, the
highest precision where recall is at least 0.5 (`precision_at_recall`), or a number. With more than
two classes the likeliest class is predicted.
"""


def objectives() -> str:
    """The metrics, several objectives, the costs, thresholds."""
    lines = ["| metric | better | what it is | threshold |", "| --- | --- | --- | --- |"]
    for metric in METRICS.values():
        better = "higher" if metric.mode == "max" else "lower"
        rule = "any" if metric.threshold is None else describe_rule(metric.threshold)
        lines.append(f"| `{PREFIX}{metric.name}` | {better} | {metric.title} | {rule} |")
    costs = ["", "| cost | better | what it is | follows |", "| --- | --- | --- | --- |"]
    for cost in COSTS.values():
        follows = "every parameter" if cost.follows is None else quoted(cost.follows) or "nothing"
        costs.append(f"| `{cost.name}` | lower | {cost.title} | {follows} |")
    return "\n".join([*lines, "", _SEVERAL, *costs[1:]]) + f"\n\n{_LATENCY}\n{_THRESHOLDS}"
