"""Exports of a checkpoint: SavedModel, Keras, Hugging Face and ONNX, each compared with it.

An export is a folder with a model card (README.md), metrics.json, the lock of the sweep and one
folder a format, whole or absent. Every format is loaded again in a fresh process and must give the
checkpoint's probabilities before the folder appears.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep import lock
from bertsweep.export.formats import FORMATS, Format, chosen
from bertsweep.export.rows import Row, hard_rows, validation_rows

if TYPE_CHECKING:
    from bertsweep.checkpoints import Checkpoint
    from bertsweep.export.checking import Check, Checker
    from bertsweep.export.subject import Subject
    from bertsweep.progress import Progress
    from bertsweep.results import Sweep

__all__ = ["FORMATS", "Format", "Row", "chosen", "export", "hard_rows", "validation_rows"]


def export(
    checkpoint: Checkpoint,
    to: Path,
    formats: Sequence[str] = tuple(FORMATS),
    *,
    rows: Sequence[Row] | None = None,
    sweep: Sweep | None = None,
    evidence: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
    before: Callable[[Path], None] = lambda _: None,
) -> dict[str, Any]:
    """Writes a checkpoint in these formats into the folder `to`, and returns its metrics.json.

    Each format is compared with the checkpoint on `rows`, the validation rows where one has them,
    and on built-in texts that tokenizers differ on. `sweep` is the one the checkpoint comes from
    and `evidence` what is known of the model; both go into the model card (see `card.Findings`).
    `progress` receives (what, formats done, all of them), `notify` sentences for the user.

    Raises `InputError` for a damaged checkpoint, an unknown format, a folder that is no earlier
    export, rows of the wrong kind or a model that a format cannot compute; `MissingPackageError`
    for a format whose packages are missing; `ExportError` where a format does not compute what the
    checkpoint does. Then nothing is written.
    """
    from bertsweep.export import target
    from bertsweep.export.card import Findings, sweep_facts
    from bertsweep.export.checking import Checker
    from bertsweep.export.subject import Subject

    todo = chosen(formats)
    for form in todo:
        form.check_packages()
        form.check_model(checkpoint)
    target.check(to)
    subject = Subject.of(checkpoint)
    hard, given = hard_rows(pair=subject.pair), list(rows or ())
    checker = Checker(checkpoint, subject, [*given, *hard])
    with target.draft_of(to) as draft:
        checks = {}
        for done, form in enumerate(todo):
            tell = functools.partial(progress or _nobody, f"exporting and checking {form.name}")
            tell(done, len(todo))
            checks[form.name] = check = made(form, subject, draft / form.name, checker)
            tell(len(todo), len(todo))
            notify(
                f"{form.name}: loaded again and compared on {check.rows} rows, differs by "
                f"{check.max_difference:.1e} at most"
            )
        validation = f"{len(given)} validation rows and " if given else ""
        findings = Findings(
            subject,
            checks,
            rows=len(given) + len(hard),
            source=f"{validation}{len(hard)} built-in texts that tokenizers differ on",
            label_agreement=checker.label_agreement,
            sweep=None if sweep is None else sweep_facts(sweep, checkpoint),
            evidence=evidence or {},
        )
        findings.write(draft)
        locked = None if sweep is None else lock.read(sweep.folder)
        if locked is not None:
            lock.write(draft, locked)
        before(draft)
    return findings.document()


def made(form: Format, subject: Subject, folder: Path, checker: Checker) -> Check:
    """Writes one format into a new folder and compares it. Raises what `export` raises."""
    folder.mkdir()
    write = form.writer()
    with _quietly():
        write(subject, folder)
    return checker.check(form, folder)


def _nobody(what: str, done: int, total: int | None) -> None:
    """The progress that nobody asked for."""


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keeps the warnings of TensorFlow and Keras, which say nothing about the export, to itself."""
    loggers = [logging.getLogger(name) for name in ("tensorflow", "absl")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
