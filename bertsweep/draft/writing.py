"""The facts → the text of a search space file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from bertsweep.draft.facts import Facts
from bertsweep.spec.data_models import Data
from bertsweep.spec.models import Resources
from bertsweep.sweep.share import share_out

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./@-]*( ?[A-Za-z0-9_./@-]+)*")
_ADDRESS = re.compile(r"[a-z0-9]+://[A-Za-z0-9_./@~%?=&+-]+|builtin:[a-z]+")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "~", "y", "n")
_NAMELESS = ("train", "training", "data", "dataset", "all", "-")
_UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def write(facts: Facts, path: Path) -> str:
    """Returns the file that is to be written to `path`.

    Local paths stand in it as they were given where `path` is in the working folder, else absolute.
    """
    import jinja2

    source = resources.files("bertsweep.draft").joinpath("space.yaml.j2").read_text("utf-8")
    # Text for YAML, not for a browser.
    template = jinja2.Template(
        source, trim_blocks=False, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    return str(template.render(**_values(facts, path)))


def name_for(source: str) -> str:
    """A name for sweep and file: that of the data without suffixes, or that of their folder."""
    path = Path(source.rpartition("://")[2].partition("?")[0])
    stem = path.name.partition(".")[0] or path.parent.name
    if stem.lower() in _NAMELESS or not re.search(r"[A-Za-z0-9]", stem):
        stem = path.absolute().parent.name if "://" not in source else path.parent.name
    stem = stem.rpartition(":")[2]
    return _NOT_IN_NAMES.sub("-", stem).strip("-._")[:60] or "sweep"


def duration(seconds: float, *, unit: str | None = None) -> str:
    """A span of time as one would say it of an estimate, in seconds, minutes, hours or days."""
    unit = unit or _unit(seconds)
    amount = seconds / _UNITS[unit]
    text = f"{amount:.0f}" if amount >= 3 else f"{max(amount, 0.1):.1f}".removesuffix(".0")
    return f"{text} {unit}"


def estimate(facts: Facts) -> str:
    """What the sweep takes here, in words."""
    low, high = facts.cost.low, facts.cost.high
    least = duration(low)
    if _unit(low) == _unit(high):
        least = least.rpartition(" ")[0]
    return f"{least} to {duration(high)} on this machine ({facts.machine.told()})"


def _unit(seconds: float) -> str:
    return next((unit for unit, size in _UNITS.items() if seconds >= 1.5 * size), "seconds")


def _values(facts: Facts, path: Path) -> dict[str, Any]:
    data, classes, training = facts.data, facts.classes, facts.training
    positive, metric = classes.scored(), classes.metric()
    at_home = path.absolute().parent == Path.cwd()
    share = share_out(
        Resources(), [{"CPU": float(facts.machine.cpus), "GPU": float(facts.machine.gpus)}]
    )
    tried = facts.lengths_tried
    return {
        "path": path,
        "about": list(_about(facts)),
        "name": yaml(name_for(facts.looked.source)),
        "source": _source(facts, at_home=at_home),
        "text": yaml(data.text[0] if len(data.text) == 1 else list(data.text)),
        "label": yaml(data.label),
        "header": data.table.header,
        "written": _written(data),
        "positive": None if positive is None else yaml(positive),
        "positive_why": _positive_why(facts),
        "split": yaml(dict(facts.split.sizes)) if facts.split.sizes else "",
        "split_why": facts.split.why[:1].upper() + facts.split.why[1:],
        "encoder": yaml(_path(facts.encoder, at_home=at_home)),
        "training": training,
        "rates_why": f"Learning rates {training.why}",
        "lengths": yaml(list(tried) if len(tried) > 1 else tried[0]),
        "several_lengths": len(tried) > 1,
        "longest": tried[-1],
        "lengths_why": _lengths_why(facts),
        "lengths_lines": [_length_line(facts, length) for length in tried],
        "batch_sizes": list(training.batch_sizes),
        "skewed": classes.skewed,
        "metric": metric[0],
        "metric_why": metric[1][:1].upper() + metric[1][1:],
        "trials": facts.trials,
        "finalists": facts.finalists,
        "seeds": facts.seeds,
        "effort": list(_effort(facts)),
        "hours": f"{max(0.1, facts.cost.high / 3600):.1f}",
        "machine": f"This machine: {facts.machine.told()}",
        "share": _share(share.cpus, share.gpus, share.concurrent),
        "report_every": facts.report_every,
    }


def _written(data: Data) -> dict[str, str]:
    """What is stated of the way the data are written."""
    own = {"source", "text", "label", "positive", "split"}
    stated = data.model_dump(mode="json", exclude_defaults=True, exclude=own)
    return {key: yaml(value) for key, value in stated.items()}


def yaml(value: Any) -> str:
    """A value as YAML on one line, quoted where it could be read as something else."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {yaml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(yaml(part) for part in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not _number_like(value)
    return value if plain or _ADDRESS.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def _number_like(text: str) -> bool:
    return bool(re.fullmatch(r"[.+-]?(\d[\d_.]*([eE][+-]?\d+)?|inf|nan)|0[xob].*", text, re.I))


def _about(facts: Facts) -> Iterator[str]:
    classes = facts.classes
    shares = sorted(classes.rows.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{label} {count / classes.total:.1%}" for label, count in shares[:6])
    more = f" and {len(shares) - 6} more" if len(shares) > 6 else ""
    yield f"{classes.total:,} rows in {len(shares)} classes: {_one_line(shown)}{more}."
    rows = ", ".join(f"{name} {len(frame):,}" for name, frame in facts.dataset.splits.items())
    yield f"Rows of each split: {rows}."


def _source(facts: Facts, *, at_home: bool) -> str:
    files = facts.data.files()
    if len(files) == 1:
        return f" {yaml(_path(facts.looked.source, at_home=at_home))}"
    lines = (
        f"\n    {split}: {yaml(_path(paths[0], at_home=at_home))}" for split, paths in files.items()
    )
    return "".join(lines)


def _path(given: str, *, at_home: bool) -> str:
    local = "://" not in given and not given.startswith("builtin:")
    return str(Path(given).expanduser().absolute()) if local and not at_home else given


def _positive_why(facts: Facts) -> str:
    classes = facts.classes
    positive = classes.scored()
    if positive is None:
        return ""
    share = classes.rows[positive] / classes.total
    return f"  # what precision, recall and the metric look at: {share:.1%} of the rows"


def _lengths_why(facts: Facts) -> str:
    if facts.lengths.measured:
        return "Measured on the training rows:"
    return "Estimated from words, since the encoder is not on this machine yet:"


def _length_line(facts: Facts, length: int) -> str:
    cut = facts.lengths.cut(length)
    said = f"{length} cuts {cut:.1%} of the rows" if cut else f"{length} cuts none of the rows"
    tried = facts.lengths_tried
    if length != tried[-1]:
        share = facts.lengths.mean(length) / facts.lengths.mean(tried[-1])
        said += f", at {share:.0%} of the word pieces of {tried[-1]}"
    return said


def _effort(facts: Facts) -> Iterator[str]:
    cost = facts.cost
    known = "sizes" if facts.sizes.known else "name"
    yield f"Roughly {estimate(facts)}, with the confirmation:"
    yield f"{duration(cost.training)} for a training of all {facts.training.epochs} epochs, less"
    yield f"for those that are stopped early. Computed from the encoder's {known}, not measured."


def _share(cpus: float, gpus: float, concurrent: int) -> str:
    core = f"{cpus:g} CPU core{'s' if cpus != 1 else ''}"
    gpu = f" and {gpus:g} GPU{'s' if gpus != 1 else ''}" if gpus else ""
    at_once = "one trial at a time" if concurrent == 1 else f"{concurrent} trials at once"
    return f"{core}{gpu}, {at_once}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
