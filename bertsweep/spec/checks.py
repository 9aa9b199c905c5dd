"""Rules of the file that span several keys, one function a section."""

from __future__ import annotations

import importlib.util
import re
from urllib.parse import urlsplit

from bertsweep.spec.data_checks import check_columns, check_labels, check_table
from bertsweep.spec.data_models import Data, SourceFiles, Split
from bertsweep.spec.document import KeyPath
from bertsweep.spec.models import Encoder, Resources, Tracking
from bertsweep.spec.problems import Problems
from bertsweep.spec.words import nearest, quoted

_SCHEMES = ("http", "https", "s3", "gs")
_BUILTIN = {"data": ("builtin:questions",), "encoder": ("builtin:tiny",)}


def data(section: Data, problems: Problems) -> None:
    """Columns that exist and differ, a split that adds up, addresses of a known kind."""
    _files(section.source, ("data", "source"), problems)
    if section.labels is not None:
        _files(section.labels, ("data", "labels"), problems)
    if isinstance(section.source, SourceFiles):
        _split_unused(section, section.source, problems)
    check_columns(section, problems)
    check_table(section, problems)
    check_labels(section, problems)
    if isinstance(section.positive, str) and not section.positive.strip():
        rule = "`positive` must be one of the two labels, but got an empty text"
        problems.add(("data", "positive"), rule, "Type the label, or leave `positive` out.")
    _split(section, problems)


def _files(files: str | tuple[str, ...] | SourceFiles, path: KeyPath, problems: Problems) -> None:
    if isinstance(files, str):
        _address(files, path, "data", problems)
    elif isinstance(files, tuple):
        for index, file in enumerate(files):
            _address(file, (*path, index), "data", problems)
    else:
        for part in ("train", "validation", "test"):
            if getattr(files, part) is not None:
                _files(getattr(files, part), (*path, part), problems)


def _split(section: Data, problems: Problems) -> None:
    split, path = section.split, ("data", "split")
    if split.train == "rest" and split.test == "rest":
        rule = "at most one part can be `rest`, but got `rest` for train and test"
        where = "train" if problems.given(*path, "train") else "test"
        problems.add(
            (*path, where), rule, "Type a share or a number of rows for one of them.", needs=[path]
        )
    shares = [p for p in (split.train, split.validation, split.test) if isinstance(p, float)]
    total = sum(shares)
    if total > 1 + 1e-9:
        rule = f"the shares of the split must add to at most 1, but got {total:g}"
        problems.add(path, rule, "Lower them, or type `train: rest`.", needs=[path])
    elif len(shares) == 3 and total > 1 - 1e-9:
        left = (1 - float(split.train)) * float(split.validation)
        text = "each share is one of the rows still there when its turn comes, so that validation "
        text += f"is {left:.3g} of all rows; for shares of the whole type `train: rest`"
        problems.warn(path, text)


def _split_unused(section: Data, sources: SourceFiles, problems: Problems) -> None:
    for part in ("validation", "test"):
        usual = Split.model_fields[part].default
        if getattr(sources, part) is not None and getattr(section.split, part) != usual:
            rule = f"`split.{part}` has no effect where `source.{part}` names a file, but got both"
            problems.add(
                ("data", "split", part),
                rule,
                "Leave one of the two out.",
                needs=[("data", "source")],
            )


def encoder(section: Encoder, at: KeyPath, problems: Problems) -> None:
    """Addresses of a known kind, none twice; `at` is where the encoder stands."""
    _address(section.source, (*at, "source"), "encoder", problems)
    seen = {section.source}
    for index, mirror in enumerate(section.mirrors):
        path: KeyPath = (*at, "mirrors", index)
        _address(mirror, path, "encoder", problems)
        if mirror in seen:
            rule = f"mirrors must differ from the source and each other, but got {mirror} twice"
            problems.add(path, rule, "Delete it.")
        seen.add(mirror)
    if section.mirrors and section.source.startswith("builtin:"):
        rule = f"mirrors have no effect on {section.source}, but got {len(section.mirrors)}"
        problems.add((*at, "mirrors"), rule, "Leave them out.", needs=[(*at, "source")])


def report_every(share: float, problems: Problems) -> float:
    """The share as 1 / n, exactly; three digits are enough to name it."""
    count = max(1, round(1 / share))
    if abs(share * count - 1) > 2e-3:
        near = sorted({1 / max(1, int(1 / share)), 1 / (int(1 / share) + 1)})
        rule = f"`1 / report_every` must be a whole number, but got 1 / {share:g} = {1 / share:.4g}"
        options = " or ".join(f"{value:.3g}" for value in near)
        problems.add(("report_every",), rule, f"Type {options}.")
    return 1 / count


LEAST_SHARE = 1e-4
"""Of a CPU or GPU: Ray counts in ten-thousandths."""


def resources(section: Resources, problems: Problems) -> None:
    """Shares that Ray can count, whole GPUs above one, an address that the Tuner can use."""
    for key in ("cpus_per_trial", "gpus_per_trial"):
        share = getattr(section, key)
        if isinstance(share, float) and 0 < share < LEAST_SHARE:
            rule = f"`{key}` must be at least {LEAST_SHARE:g}, Ray's smallest share, "
            rule += f"but got {share:g}"
            problems.add(("resources", key), rule, "Type for example 0.5.")
    gpus = section.gpus_per_trial
    if isinstance(gpus, float) and gpus > 1 and not gpus.is_integer():
        rule = f"`gpus_per_trial` above 1 must be whole, but got {gpus:g}"
        problems.add(("resources", "gpus_per_trial"), rule, f"Type {int(gpus)} or {int(gpus) + 1}.")
    if section.address is not None and section.address.startswith("ray://"):
        rule = f"`address` must not be a ray:// client address, but got {section.address}"
        advice = "Type the cluster's own address (host:6379 or auto), or use `ray job submit`."
        problems.add(("resources", "address"), rule, advice)


def tracking(section: Tracking, problems: Problems) -> None:
    """Names that W&B takes."""
    for key, value in (("project", section.project), ("entity", section.entity)):
        if value is not None and (len(value) > 128 or re.search(r"[/\\#?%:]", value)):
            rule = f"`{key}` must be at most 128 characters without / \\ # ? % :, but got {value}"
            problems.add(("tracking", key), rule, "Type a shorter or plainer name.")


def package(
    name: str, path: KeyPath, wanted: str, problems: Problems, *, extra: str | None = None
) -> None:
    """Refuses an option whose package is not installed, naming it or the extra that has it."""
    if importlib.util.find_spec(name) is None:
        rule = f"`{wanted}` needs the package {name}, but it is not installed"
        install = name if extra is None else f"'bertsweep[{extra}]'"
        problems.add(path, rule, f"Run `pip install {install}`, or type another.")


def no_password(address: str, path: KeyPath, problems: Problems) -> bool:
    """Whether an address is well formed and free of secrets, which stand in no file here."""
    try:
        secret = urlsplit(address).password
    except ValueError:
        rule = f"an address must be scheme://host/path, but got {address}"
        problems.add(path, rule, "Correct it.")
        return False
    if secret is not None:
        rule = "an address must not hold a password, but got one"
        problems.add(path, rule, "Leave it out and set it in the environment or a password file.")
    return secret is None


def _address(address: str, path: KeyPath, kind: str, problems: Problems) -> None:
    if address.startswith("builtin:"):
        valid = _BUILTIN[kind] if path[-1] == "source" else ()
        if address not in valid:
            rule = f"a built-in {kind} source must exist, but got {address}"
            problems.add(path, rule, f"Type {quoted(_BUILTIN[kind])} as the source, or a path.")
        return
    scheme, mark, rest = address.partition("://")
    if not mark or not no_password(address, path, problems):
        return
    schemes = (*_SCHEMES, "hf") if kind == "encoder" else _SCHEMES
    if scheme.lower() not in schemes:
        rule = f"an address must begin with one of {', '.join(schemes)}, but got {scheme}://"
        close = nearest(scheme, schemes)
        advice = (
            f"Did you mean `{close[0]}://{rest}`?" if close else "Type such an address or a path."
        )
        problems.add(path, rule, advice)
