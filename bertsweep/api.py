"""The functions of the public Python API; the command line is a thin wrapper over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.conclusion import conclude, write_owed
from bertsweep.exporting import check_exports, export_checkpoint
from bertsweep.paths import storage_root
from bertsweep.results import Sweep
from bertsweep.spec import SweepSpec, load

if TYPE_CHECKING:
    from bertsweep.checkpoints import Checkpoint
    from bertsweep.draft import Drafted, Looked
    from bertsweep.exploration import Exploration
    from bertsweep.ledger import Subscriber
    from bertsweep.progress import Progress
    from bertsweep.scoring import Evaluation
    from bertsweep.spec.models import Confirm
    from bertsweep.sweep.reproduce import Reproduction


def load_spec(path: str | Path, *, overrides: Sequence[str] = ()) -> SweepSpec:
    """The specification in a search space file, with `key.path=VALUE` settings made on top.

    Raises `SpecError` with every problem of file and settings.
    """
    return load(Path(path), overrides=overrides)


def init(
    data: str | Path | Looked,
    *,
    encoder: str,
    text: Sequence[str] = (),
    label: str | None = None,
    settings: Sequence[str] = (),
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Drafted:
    """Looks at labelled text and writes a commented search space file, which `run` runs as it is.

    `data` is whatever `data.source` may be, or what `bertsweep.draft.look` returned for it;
    `encoder` is an `encoder.source`. The columns `text` (two for pairs) and `label` are guessed
    where they are not named; `settings` are `data.KEY=VALUE` where the data are written in a way
    that is not recognised. The file is `out`, by default NAME.yaml in the working folder, after
    the data; it replaces none unless `force`. All rows are read, nothing is trained, and an encoder
    that is not on this machine is not downloaded.

    Raises `InputError` (`DataError`, `EncoderError`, …) where data, columns or encoder cannot be
    used or the file exists, and `DownloadError` for data at an address.
    """
    from bertsweep import draft
    from bertsweep.paths import cache_root

    cache = cache_root()
    named = data.source if isinstance(data, draft.Looked) else str(data)
    path = draft.target(draft.name_for(named), None if out is None else Path(out), force=force)
    if not isinstance(data, draft.Looked):
        data = draft.look(
            named, text=text, label=label, settings=settings, cache=cache, progress=progress
        )
    return draft.save(
        draft.examine(data, encoder, cache=cache, progress=progress, notify=notify), path
    )


def explore(
    subject: str | Path,
    *,
    text: Sequence[str] = (),
    label: str | None = None,
    encoder: str | None = None,
    settings: Sequence[str] = (),
    storage: str | Path | None = None,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Exploration:
    """Looks at labelled text from all sides: labels, lengths, likeness of the splits, label errors.

    `subject` is a search space file, a sweep or its name under `storage`, or data as `init` takes
    them, with their columns and an `encoder`. `settings` are `key.path=VALUE` on top. Of a sweep,
    the validation rows that all its good trials get wrong are among the likely label errors.
    Nothing is trained, and an encoder that is not on this machine is not downloaded.

    Raises `InputError` (`SpecError`, `DataError`, …), and `DownloadError` for data at an address.
    """
    from bertsweep import exploration
    from bertsweep.paths import cache_root

    cache = cache_root()
    found = exploration.find_subject(
        str(subject),
        text=text,
        label=label,
        encoder=encoder,
        settings=settings,
        storage=storage_root(storage),
        cache=cache,
    )
    return exploration.explore(found, cache=cache, progress=progress, notify=notify)


def run(
    spec: SweepSpec | str | Path,
    *,
    storage: str | Path | None = None,
    base: str | Path | None = None,
    name: str | None = None,
    address: str | None = None,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Sweep:
    """Runs a sweep to its end: the search, and what the spec asks for after it.

    With `confirm` that is the confirmation of the winner and one reading of the test split, with
    `export` its export into the sweep's folder.

    `spec` is a specification or the path of a search space file. The sweep's folder is made under
    `storage` (BERTSWEEP_STORAGE, else ./runs), called `name` or as the spec says. Relative paths in
    the spec are looked up from the working folder, then from `base`, by default the file's folder.
    `address` is that of a running Ray cluster (RAY_ADDRESS, else a Ray on this machine alone).

    Each of `subscribers` is called with an `Update` for every event of the ledger, `progress` with
    (what, amount done, whole amount or None), `notify` with sentences for the user; all of them in
    this thread but `notify`, which may be called from others.

    Raises `InputError` (`SpecError`, `DataError`, `EncoderError`, …) before anything is kept in
    `storage`; `InterruptedSweep` after Ctrl-C and `EnvironmentFault` when the sweep cannot go on
    here, both of which `resume` goes on from; `NoUsableTrialError` when no trial has a checkpoint.
    """
    from bertsweep.sweep import run as conducting

    if not isinstance(spec, SweepSpec):
        base = Path(spec).absolute().parent if base is None else base
        spec = load_spec(spec)
    if spec.export:
        check_exports(spec.export)
    root = storage_root(storage)
    state = conducting.run(
        spec,
        storage=root,
        base=Path.cwd() if base is None else Path(base).absolute(),
        name=name,
        address=address,
        subscribers=subscribers,
        progress=progress,
        notify=notify,
    )
    return conclude(
        Sweep.open(root / state.name), subscribers=subscribers, progress=progress, notify=notify
    )


def resume(
    sweep: Sweep | str | Path,
    *,
    storage: str | Path | None = None,
    trials: int | None = None,
    trainings: float | None = None,
    gpu_hours: float | None = None,
    hours: float | None = None,
    address: str | None = None,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Sweep:
    """Goes on with an interrupted sweep, or gives a finished one more budget.

    `sweep` is an open sweep, its folder, or its name under `storage`; `trials`, `trainings`,
    `gpu_hours` and `hours` are new values of these keys of `budget`, for the sweep as a whole and
    not for what is added. `subscribers` are first told what the ledger holds already. The other
    arguments and what it raises are those of `run`, besides `SweepNotFoundError` and `LedgerError`.
    """
    from bertsweep.sweep import run as conducting

    opened = sweep if isinstance(sweep, Sweep) else open_sweep(sweep, storage=storage)
    given = {"trials": trials, "trainings": trainings, "gpu_hours": gpu_hours, "hours": hours}
    conducting.resume(
        opened.folder,
        address=address,
        subscribers=subscribers,
        progress=progress,
        notify=notify,
        bounds={unit: bound for unit, bound in given.items() if bound is not None},
    )
    return conclude(
        Sweep.open(opened.folder), subscribers=subscribers, progress=progress, notify=notify
    )


def confirm(
    sweep: Sweep | str | Path,
    settings: Confirm | None = None,
    *,
    storage: str | Path | None = None,
    address: str | None = None,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Sweep:
    """Confirms the winner of a sweep, finished or interrupted: trains finalists with fresh seeds.

    `settings` are those of `confirm` in the search space file, by default that file's. What was
    repeated before is not repeated again; an interrupted confirmation is gone on with, also by
    `resume`. The other arguments and what it raises are those of `resume`.
    """
    from bertsweep.sweep import run as conducting

    opened = sweep if isinstance(sweep, Sweep) else open_sweep(sweep, storage=storage)
    conducting.confirm(
        opened.folder,
        settings,
        address=address,
        subscribers=subscribers,
        progress=progress,
        notify=notify,
    )
    opened = Sweep.open(opened.folder)
    write_owed(opened, progress=progress, notify=notify)
    return opened


def reproduce(
    sweep: Sweep | str | Path,
    *,
    storage: str | Path | None = None,
    address: str | None = None,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Reproduction:
    """Trains the winner of a sweep again, from what the sweep recorded, and compares.

    Nothing is written into the sweep. Raises `InputError` where data or encoder are not what the
    sweep began with, `NoUsableTrialError`, `InterruptedSweep` after Ctrl-C, and `EnvironmentFault`.
    """
    from bertsweep.sweep import reproduce as reproducing

    opened = sweep if isinstance(sweep, Sweep) else open_sweep(sweep, storage=storage)
    return reproducing.reproduce(opened.folder, address=address, progress=progress, notify=notify)


def evaluate(
    sweep: Sweep | str | Path,
    *,
    data: str | Path | None = None,
    settings: Sequence[str] = (),
    storage: str | Path | None = None,
    aim: str | None = None,
    again: bool = False,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Scores a sweep's winner and its baseline on the test split, or on a labelled file.

    Without `data` it is the test split of a sweep that is not running: that is recorded in the
    ledger, is done once, and `again` asks for a further time, which is recorded too. With `data`,
    a file of any format that `data.source` takes, nothing is recorded; `sweep` may then be the
    folder of a checkpoint, and `settings` are `data.key=VALUE` where the file is not written as the
    sweep's data were. `aim` is what the threshold is for: `f1`, `accuracy`, `balanced_accuracy`,
    `precision_at_recall=0.8`, `recall_at_precision=0.9` or `cost=fp:1,fn:5`, found on the
    validation rows; left out, it is the checkpoint's own. The callables are those of `run`.

    Raises `InputError` (`DataError`, `SweepNotFoundError`, …) where the split was read before,
    another command writes the sweep, or data or checkpoint cannot be used; `NoUsableTrialError`;
    `InterruptedSweep` after Ctrl-C, after which the same call completes what was begun.
    """
    from bertsweep import scoring
    from bertsweep.evaluation import Aim

    asked = None if aim is None else Aim.parse(aim)
    if data is not None:
        return scoring.evaluate_file(
            str(sweep.folder if isinstance(sweep, Sweep) else sweep),
            str(data),
            storage=storage_root(storage),
            settings=settings,
            aim=asked,
            progress=progress,
            notify=notify,
        )
    opened = sweep if isinstance(sweep, Sweep) else open_sweep(sweep, storage=storage)
    write_owed(opened, progress=progress, notify=notify)
    return scoring.evaluate_test(
        opened.folder,
        aim=asked,
        again=again,
        subscribers=subscribers,
        progress=progress,
        notify=notify,
    )


def open_sweep(sweep: str | Path, *, storage: str | Path | None = None) -> Sweep:
    """The sweep in a folder, or of a name under `storage` (BERTSWEEP_STORAGE, else ./runs).

    It may be running: what is returned tells of this moment. Raises `SweepNotFoundError`, and
    `LedgerError` when its ledger is damaged.
    """
    return Sweep.open(sweep, storage=storage)


def export_model(
    target: Sweep | Checkpoint | str | Path,
    to: str | Path,
    *,
    formats: Sequence[str] = ("savedmodel", "keras", "huggingface", "onnx"),
    storage: str | Path | None = None,
    evidence: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Writes the best checkpoint of a sweep, or a checkpoint, into the folder `to`.

    `target` is a sweep, its folder, its name under `storage`, or a checkpoint or its folder. Each
    format is loaded again in a fresh process and compared with the checkpoint on the validation
    rows of the sweep, where its data can still be read, and on built-in texts; then `to` appears
    whole, with a model card and metrics.json, of which the content is returned. `evidence` is what
    is known of the model besides, for the card.

    Raises `InputError`, `MissingPackageError`, `SweepNotFoundError` or `NoUsableTrialError` for
    what cannot be exported, and `ExportError` where a format computes something else. Then nothing
    is written.
    """
    from bertsweep import results
    from bertsweep.checkpoints import Checkpoint
    from bertsweep.export.target import check

    check_exports(formats)
    check(Path(to))

    def exported(checkpoint: Checkpoint) -> dict[str, Any]:
        sweep = target if isinstance(target, Sweep) else results.sweep_of(checkpoint)
        if sweep is not None:
            write_owed(sweep, progress=progress, notify=notify)
        return export_checkpoint(
            checkpoint,
            sweep,
            Path(to),
            formats,
            evidence=evidence,
            progress=progress,
            notify=notify,
        )

    if isinstance(target, Checkpoint):
        return exported(target)
    named, root = str(target.folder if isinstance(target, Sweep) else target), storage_root(storage)
    first = results.checkpoint_of(named, root, notify=notify)
    return results.read_checkpoint(named, root, exported, first=first)
