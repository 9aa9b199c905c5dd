"""The reference of the search space file as Markdown, written from the schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bertsweep.spec.data_reference import DATA, TABLE
from bertsweep.spec.hyperparameters import ENCODER
from bertsweep.spec.models import SweepFile
from bertsweep.spec.objective_reference import PREFER, objectives
from bertsweep.spec.recipes import RECIPES
from bertsweep.spec.schema import keys, parameter, schema_at
from bertsweep.spec.values import NAMES, default
from bertsweep.spec.words import describe

_HEAD = """\
# The search space file

<!-- Written from the schema; do not edit. To write it anew: make docs -->

One YAML file (YAML 1.2, UTF-8) says what a sweep searches, on which data, and how. Unknown keys are
refused, and all that is wrong is told at once: key path, line, the rule, and what to type instead.
`bertsweep validate FILE` checks a file and starts nothing. Any key can be set from the command line
with `--set key.path=VALUE`, where VALUE is read as YAML and checked in the same way:
`--set budget.trials=5 --set space.dropout='[0.1, 0.3]'`. `bertsweep schema` prints a JSON Schema
for editors. `2e-5` is a number; quotes make text of it.

The smallest file:

```yaml
name: first
data: {source: "builtin:questions"}
encoder: {source: "builtin:tiny"}
space:
  learning_rate: {low: 1e-5, high: 1e-3, log: true}
```
"""

_SPACE = """\
## space

Each key is a parameter of the table below, each value one of these forms:

| form | meaning |
| --- | --- |
| `dropout: 0.3` | fixed |
| `batch_size: [16, 32]` | a choice, without order; one value alone is fixed |
| `learning_rate: {low: 1e-5, high: 1e-4, log: true}` | a range, both ends included; `log` is \
uniform in the logarithm and needs `low > 0` |
| `dropout: {low: 0.1, high: 0.5, step: 0.1}` | a range of low, low + step, …, high |
| `weight_decay: {low: 0.001, high: 0.1, log: true, when: {optimizer: adamw}}` | a range \
that is only active under a condition |
| `weight_decay: {choices: [0.01, 0.1], when: {optimizer: adamw}}` | a choice under a condition |
| `weight_decay: {value: 0.01, when: {optimizer: adamw}}` | a fixed value under a condition |

`when` names parameters of `space` and a value or list of values of each; all must hold. Where a
parameter is not active, and where `space` does not name it, it has its default. A parameter that
would change nothing is refused: `weight_decay` other than 0 needs `optimizer: adamw`, fixed or as
its condition.
"""

_BASELINE = """\
## baseline

A known configuration, `parameter: value`. It is trial 0, and the winner is compared with it. A
parameter that is left out has the fixed value of `space`, else its default from the table above.
A baseline outside the space is run too, with a warning: the sampler does not learn from it.
"""

_NOTES = {
    "data": DATA,
    "data.table": TABLE,
    "data.split": """\
Shares and counts go one after the other, so that `train: 0.1` and `validation: 0.01` are a tenth of
all rows and a hundredth of the other nine tenths. At most one part is `rest`. A part whose file
`data.source` names is not cut.
""",
    "encoder": """\
Several encoders have names: `encoder: {small: {source: …}, large: {source: …}}`. The names are then
values of the parameter `encoder`, which is searched; `space: {encoder: [small]}` takes some of
them, `when: {encoder: large}` is a condition on it, and the baseline has the first one of the space
unless it says another. `max_seq_length` must fit each encoder that a trial can have it with.
[encoders.md](encoders.md) has the rest.
""",
    "objective": objectives(),
    "prefer": PREFER,
    "search": """\
A warm start is a point of the space, `parameter: value`; what it leaves out is completed like the
baseline. A storage is a URL such as `sqlite:///study.db` or `postgresql://user@host/optuna`;
passwords belong into the environment.
""",
    "search.sampler": """\
No trial is run twice: where a proposal repeats an earlier trial, the sampler is asked again. All
trials have one seed, so that the second would end as the first did. A sweep over lists and steps
ends when every point has been tried, whatever `budget.trials` says; `grid` goes through them in
order.

| sampler | models | needs |
| --- | --- | --- |
| `tpe` | every parameter | |
| `gp` | parameters without condition; takes about a second a proposal | \
`pip install 'bertsweep[gp]'` |
| `cmaes` | ranges without condition, a generation of 4 + 3 ln(ranges) trials at a time: for \
sweeps of hundreds of trials | `pip install 'bertsweep[cmaes]'` |
| `random`, `grid` | nothing | |

Parameters that a sampler does not model are drawn at random. [search.md](search.md) says why the
defaults are what they are. A model learns from trials that were
stopped early, too: `tpe` ranks them behind the finished ones, by how far they came; for `gp` and
`cmaes` their values are carried on to a full training, by what the trials nearest to them gained
that trained further. With several objectives `tpe` and `gp` go by all of them, Optuna's way, and
see stopped trials carried on; `train_seconds` is carried on in proportion to the epochs. `cmaes`
takes one objective.
""",
    "search.scheduler": """\
Rungs are counted in shares of an epoch. `grace_epochs` lies between `report_every` and `epochs`. On
few rows half an epoch is a few dozen optimizer steps, after which a BERT has learned nothing that
trials could be told apart by; so the first rung also waits for `grace_steps` steps of the largest
batch size in the space. Of several objectives the first decides who stops.

| scheduler | stops a trial |
| --- | --- |
| `asha` | at `grace_epochs` and each `reduction_factor` times as many, unless it is among the \
best one in `reduction_factor` there |
| `hyperband` | in the same way, but some trials have a longer grace period: 9 : 5 where two \
reductions by 3 have room in `epochs` (HyperBand's proportions) |
| `median` | whose best value is below the median of the others' running means at the same epoch |
| `none` | never |
""",
}


_OPTIONS = """\
The layers of an encoder hold what it learned in pre-training, the lower ones the most general part.
`layer_decay` and `head_learning_rate` let each learn at a rate of its own (Sun et al. 2019, section
5.3.3); weight decay follows the rate. With `layer_decay: 0.9`, n layers below the top one it is
`0.9 ** n` times `learning_rate`, and the embeddings count as one more layer. `clip_norm` is
`tf.clip_by_global_norm` over all gradients of a step. `reinit_layers` is Zhang et al. 2021, section
5. `accumulate` changes the memory that a batch takes, not what is learned from it: its parts add up
to the gradient of the whole batch, though dropout draws other masks.

`patience` ends a trial that has gone so many epochs without a better report; a falling `schedule`
is still that of all its `epochs`. `average` leaves the training as it is: what is evaluated,
reported and kept is another set of weights. `ema` is an exponential moving average of every few
steps.
`soup` (Wortsman et al. 2022) is the mean of the trial's own best weights: those of a report join
where the mean with them scores better on the validation rows than all before, which takes a second
evaluation a report. A refit has no validation rows to choose by and takes its last weights.

With `pooling` cls or mean there is no pooler. A checkpoint says which it was, and `predict` and the
exports compute it; only the format huggingface cannot have it, as Hugging Face's BERT classifier
always uses the pooler.
"""


_RECIPES = """\
`recipe` at the top of the file sets several parameters by one name. What `space` names goes before
it, fixed or searched, and so does the baseline for itself; `bertsweep validate FILE` shows what the
recipe sets. Its `weight_decay` goes with `adamw` alone.

"""


def markdown() -> str:
    """The whole reference: a table a section, the forms of `space`, its parameters."""
    return "\n".join(_parts())


def _parts() -> Iterator[str]:
    yield _HEAD
    root = keys(schema_at(()) or {})
    yield "## Top level\n"
    yield _table(root, set(SweepFile.model_json_schema()["required"]))
    for name in root:
        if name == "space":
            yield _SPACE
            yield _parameters()
        elif name == "baseline":
            yield _BASELINE
        elif keys(schema_at((name,)) or {}):
            yield from _section((name,), 2)


def _section(path: tuple[str, ...], depth: int) -> Iterator[str]:
    schema: dict[str, Any] = schema_at(path) or {}
    dotted = ".".join(path)
    body = next((b for b in schema.get("anyOf", [schema]) if "properties" in b), schema)
    yield f"{'#' * depth} {dotted}\n"
    yield body.get("description", schema.get("description", "")) + "\n"
    parts = keys(schema)
    yield _table(parts, set(body.get("required", ())))
    note = _NOTES.get(dotted, "")
    if note:
        yield note
    for name, part in parts.items():
        if keys(part):
            yield from _section((*path, name), depth + 1)


def _table(parts: dict[str, dict[str, Any]], required: set[str]) -> str:
    lines = ["| key | takes | default | meaning |", "| --- | --- | --- | --- |"]
    for name, part in parts.items():
        usual = "required" if name in required else _default(part)
        takes = "a mapping" if name in ("space", "baseline") else describe(part)
        lines.append(f"| `{name}` | {takes} | {usual} | {part.get('title', '')} |")
    return "\n".join(lines) + "\n"


def _parameters() -> str:
    lines = ["| parameter | takes | default | meaning |", "| --- | --- | --- | --- |"]
    for name in NAMES:
        schema = parameter(name)
        usual = "the first one" if name == ENCODER else f"`{default(name)}`"
        lines.append(f"| `{name}` | {describe(schema)} | {usual} | {schema['title']} |")
    text = "\nThe defaults are the tutorial's configuration.\n"
    return "\n".join(lines) + f"\n{text}\n{_OPTIONS}\n{_recipes()}"


def _recipes() -> str:
    lines = ["| recipe | what it sets |", "| --- | --- |"]
    for name, values in RECIPES.items():
        said = ", ".join(f"`{key}: {value}`" for key, value in values.items())
        lines.append(f"| `{name}` | {said or 'nothing: the defaults'} |")
    return _RECIPES + "\n".join(lines) + "\n"


def _default(part: dict[str, Any]) -> str:
    value = part.get("default")
    if value is None or isinstance(value, (dict, list)):
        return f"`{value[0]}`" if isinstance(value, list) and value else ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
