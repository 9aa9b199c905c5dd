"""Files, texts and stored specifications → `SweepSpec`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsweep.errors import Problem, SpecError
from bertsweep.spec import checks
from bertsweep.spec.conditions import read_space
from bertsweep.spec.data_checks import check_columns, check_table
from bertsweep.spec.data_models import Data
from bertsweep.spec.document import Document, read
from bertsweep.spec.encoder_checks import check_choice, check_encoders, with_encoders
from bertsweep.spec.named_points import read_baseline
from bertsweep.spec.objective_checks import read_objectives
from bertsweep.spec.overrides import expanded, override
from bertsweep.spec.problems import Problems
from bertsweep.spec.recipe_checks import check_recipe
from bertsweep.spec.recipes import with_recipe
from bertsweep.spec.search_checks import read_search
from bertsweep.spec.structure import structure
from bertsweep.spec.sweep_spec import SweepSpec


def load(path: Path, *, overrides: Sequence[str] = ()) -> SweepSpec:
    """The specification in a search space file, with `key.path=VALUE` settings made on top.

    Raises `SpecError` with every problem of file and settings.
    """
    return parse(_text(Path(path)), source=str(path), overrides=overrides)


def parse(text: str, *, source: str, overrides: Sequence[str] = ()) -> SweepSpec:
    """The specification in a YAML text; `source` names it in errors. Raises `SpecError`."""
    document, faults = read(text.removeprefix("\ufeff"))
    if document.plain is None and faults:
        raise SpecError(source, faults)
    settled, wrong = document, list[Problem]()
    if isinstance(document.plain, dict):
        settled, wrong = override(document, overrides)
    problems = Problems(settled)
    problems.take([*faults, *wrong])
    spec = _build(settled, problems)
    problems.raise_any(source)
    if spec is None:
        raise SpecError(source, [Problem((), None, "the file could not be read")])
    return spec


def from_plain(plain: Mapping[str, Any]) -> SweepSpec:
    """The specification that `SweepSpec.to_plain` returned, wherever it is read.

    Nothing of this machine is asked (which packages are there). Raises `SpecError`.
    """
    rest = {key: value for key, value in plain.items() if key != "warnings"}
    document = Document(expanded(rest))
    problems = Problems(document)
    file = structure(document, problems)
    problems.raise_any("stored specification")
    if file is None:
        raise SpecError("stored specification", [Problem((), None, "it could not be read")])
    found = read_space(with_recipe(with_encoders(file), file.recipe, file.baseline), problems)
    trial_0 = read_baseline(file.baseline, found, problems)
    problems.raise_any("stored specification")
    if trial_0 is None:
        raise SpecError("stored specification", [Problem(("baseline",), None, "it is missing")])
    warnings = tuple(plain.get("warnings", ()))
    return SweepSpec.of_file(file, space=found, baseline=trial_0, warnings=warnings)


def load_data(plain: Mapping[str, Any], *, overrides: Sequence[str] = ()) -> Data:
    """The section `data` of a file without labels, with `data.key=VALUE` settings made on top.

    Raises `SpecError` with every problem; the problems of a setting have no line.
    """
    rest = {"name": "data", "encoder": {"source": "builtin:tiny"}, "space": {"epochs": 1}}
    document, wrong = override(Document({**rest, "data": dict(plain)}), overrides)
    problems = Problems(document)
    problems.take(wrong)
    for setting in overrides:
        if not setting.startswith("data."):
            rule = f"only keys of `data` can be set here, but got {setting!r}"
            problems.take([Problem((), None, rule, "Type for example `data.table.header=false`.")])
    file = structure(document, problems)
    if file is not None:
        check_columns(file.data, problems, labelled=False)
        check_table(file.data, problems)
    problems.raise_any("--set")
    if file is None:
        raise SpecError("--set", [Problem((), None, "the settings could not be read")])
    return file.data


def _build(document: Document, problems: Problems) -> SweepSpec | None:
    """The specification, problems problems; None where one of them stands in the way."""
    file = structure(document, problems)
    if file is None:
        return None
    checks.data(file.data, problems)
    check_encoders(file.encoder, problems)
    found = read_space(with_recipe(with_encoders(file), file.recipe, file.baseline), problems)
    trial_0 = read_baseline(file.baseline, found, problems)
    check_choice(file, found, trial_0, problems)
    objectives = read_objectives(file, found, problems)
    searching = read_search(file, found, trial_0, problems)
    if trial_0 is not None:
        check_recipe(found, trial_0, file.export, problems)
    checks.resources(file.resources, problems)
    checks.tracking(file.tracking, problems)
    every = checks.report_every(file.report_every, problems)
    if problems or trial_0 is None:
        return None
    settled = file.model_copy(
        update={
            "objective": objectives,
            "search": searching,
            "report_every": every,
        }
    )
    warnings = tuple(problems.warnings)
    return SweepSpec.of_file(settled, space=found, baseline=trial_0, warnings=warnings)


def _text(path: Path) -> str:
    from bertsweep.spec.words import nearest, quoted

    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        folder = path.parent
        files = sorted(p.name for p in folder.glob("*.y*ml")) if folder.is_dir() else []
        close = nearest(path.name, files)
        advice = f"Did you mean {folder / close[0]}?" if close else ""
        if not advice and files:
            advice = f"Files there: {', '.join(files[:8])}."
        rule = f"a search space file must exist, but there is none at {path}"
        raise SpecError(str(path), [Problem((), None, rule, advice or "Check the path.")]) from None
    except IsADirectoryError:
        files = sorted(p.name for p in path.glob("*.y*ml"))
        advice = f"Name one of its files: {quoted(files[:8])}." if files else "Name a file."
        rule = f"a search space file must be a file, but {path} is a folder"
        raise SpecError(str(path), [Problem((), None, rule, advice)]) from None
    except OSError as error:
        rule = f"a search space file must be readable, but got: {error.strerror or error}"
        raise SpecError(str(path), [Problem((), None, rule, "Check its permissions.")]) from error
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        rule = f"a file must be UTF-8, but got the byte 0x{raw[error.start]:02x}"
        advice = "Save the file as UTF-8."
        raise SpecError(str(path), [Problem((), line, rule, advice)]) from None
