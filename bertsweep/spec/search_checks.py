"""Rules between the search, the space and the budget."""

from __future__ import annotations

from urllib.parse import urlsplit

from bertsweep.budget import Bounds
from bertsweep.space import Float, Int, Point, Space
from bertsweep.spec import checks
from bertsweep.spec.document import KeyPath
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.spec.models import Sampler, Scheduler, Search, SweepFile
from bertsweep.spec.named_points import completed, outside, read_warm_start
from bertsweep.spec.problems import Problems
from bertsweep.spec.values import default
from bertsweep.spec.words import nearest, quoted

_DATABASES = {"sqlite": "sqlite3", "postgresql": "psycopg2", "mysql": "MySQLdb"}
_DRIVERS = {"pymysql": "pymysql", "psycopg": "psycopg", "psycopg2": "psycopg2"}


def read_search(
    file: SweepFile, space: Space, baseline: Hyperparameters | None, problems: Problems
) -> Search:
    """The search section with its warm starts completed and its seed settled.

    `baseline` is trial 0, None where the file has a problem with it.
    """
    sampler(file.search.sampler, space, problems)
    scheduler(file.search.scheduler, file.report_every, space, problems)
    budget(file, space, baseline, problems)
    if file.search.storage is not None:
        storage(file.search.storage, problems)
    points = _warm_starts(file, space, baseline, problems)
    seed = file.seed if file.search.seed is None else file.search.seed
    return file.search.model_copy(update={"warm_start": tuple(points), "seed": seed})


def sampler(section: Sampler, space: Space, problems: Problems) -> None:
    """A sampler that can draw from this space, with its package there."""
    path: KeyPath = ("search", "sampler", "kind")
    if section.kind == "grid" and space.continuous:
        names = quoted(space.continuous)
        rule = f"`grid` needs a space of lists and steps, but {names} can be any number of a range"
        problems.add(
            path, rule, "Give it a list or a step, or type another sampler.", needs=[("space",)]
        )
    if section.kind == "gp":
        checks.package("torch", path, "gp", problems, extra="gp")
        conditional = [p.name for p in space.searched if p.when]
        if conditional:
            text = f"gp models parameters without condition; {quoted(conditional)} stay random"
            problems.warn(path, text)
    if section.kind == "cmaes":
        checks.package("cmaes", path, "cmaes", problems, extra="cmaes")
        ranges = [p for p in space.searched if isinstance(p.domain, (Float, Int)) and not p.when]
        if len(ranges) < len(space.searched):
            others = quoted(p.name for p in space.searched if p not in ranges)
            problems.warn(path, f"cmaes models ranges without condition; {others} stay random")
    if section.kind in ("random", "grid") and section.startup_trials != Sampler().startup_trials:
        text = f"`startup_trials` has no effect under {section.kind}"
        problems.warn(("search", "sampler", "startup_trials"), text)


def scheduler(section: Scheduler, every: float, space: Space, problems: Problems) -> None:
    """A grace period between the first report and the last epoch."""
    path: KeyPath = ("search", "scheduler", "grace_epochs")
    used = {
        "asha": ("grace_epochs", "grace_steps", "reduction_factor"),
        "hyperband": ("grace_epochs", "grace_steps", "reduction_factor"),
        "median": ("grace_epochs", "grace_steps", "min_trials"),
        "none": (),
    }[section.kind]
    for key in Scheduler.model_fields:
        if key not in ("kind", *used) and getattr(section, key) != getattr(Scheduler(), key):
            text = f"`{key}` has no effect under {section.kind}"
            problems.warn(("search", "scheduler", key), text)
    if "grace_epochs" not in used:
        return
    where = path if problems.given("search", "scheduler", "grace_epochs") else path[:-1]
    grace, most = section.grace_epochs, largest(space, "epochs")
    needs: list[KeyPath] = [path, ("search", "scheduler", "kind")]
    if grace > most:
        rule = f"`grace_epochs <= epochs` must hold, but got {grace:g} and {most} epochs"
        problems.add(
            where,
            rule,
            f"Type at most {most}, or `scheduler: none`.",
            needs=[*needs, ("space", "epochs")],
        )
    elif grace == most:
        text = f"with {most} epochs and as many of grace, no trial is ever stopped early"
        problems.warn(where, text, needs=[("space", "epochs")])
    if grace < every * (1 - 1e-3):
        rule = f"`report_every <= grace_epochs` must hold, but got {every:g} and {grace:g}"
        problems.add(
            where,
            rule,
            f"Type at least {every:g}, or a smaller `report_every`.",
            needs=[*needs, ("report_every",)],
        )


def largest(space: Space, name: str) -> int:
    """The greatest number a hyperparameter can be in a trial that the space proposes.

    Where the space leaves the parameter out, or a condition does, that is its default; 0 where it
    is never a number.
    """
    numbers = [space.largest(name)]
    if name not in space or space[name].when:
        usual = default(name)
        numbers.append(None if isinstance(usual, str) else usual)
    return int(max((number for number in numbers if number is not None), default=0))


def smallest(space: Space, name: str) -> int:
    """The least number a hyperparameter can be in a trial, as `largest` is the greatest."""
    numbers = [space.smallest(name)]
    if name not in space or space[name].when:
        usual = default(name)
        numbers.append(None if isinstance(usual, str) else usual)
    return int(min((number for number in numbers if number is not None), default=0))


def budget(
    file: SweepFile, space: Space, baseline: Hyperparameters | None, problems: Problems
) -> None:
    """Units that count nothing here; warns where trials do not fit the space: none is run twice."""
    budget, points = file.budget, space.size
    if budget.gpu_hours is not None and file.resources.gpus_per_trial == 0:
        rule = "`gpu_hours` counts the GPUs of trials, but `resources.gpus_per_trial` is 0"
        problems.add(
            ("budget", "gpu_hours"),
            rule,
            "Type `hours` or `trainings` in its place, or give trials GPUs.",
            needs=[("resources", "gpus_per_trial")],
        )
    trials = Bounds.of(budget.model_dump()).trials
    path: KeyPath = ("budget", "trials")
    if trials is None:
        return
    if trials < 1 + len(file.search.warm_start):
        problems.warn(path, f"{trials} trials leave out some of the baseline and the warm starts")
    if points is None or trials <= 1:
        return
    grid = file.search.sampler.kind == "grid"
    text = f"the {'grid' if grid else 'space'} has {points:,} point{'s' if points > 1 else ''}"
    beside = baseline is not None and bool(outside(space, baseline))
    most = points + beside
    if trials > most:
        text += ", and the baseline lies outside of it" if beside else ""
        text += (
            f": the sweep ends after {most:,} trials, not after {trials:,}, as none is run twice"
        )
        problems.warn(path, text, needs=[("space",)])
    elif grid and trials < most:
        text += f", of which {trials:,} trials try only a part"
        problems.warn(path, text, needs=[("space",)])


def storage(url: str, problems: Problems) -> None:
    """A database URL that Optuna can open, without a password in it."""
    path: KeyPath = ("search", "storage")
    if not checks.no_password(url, path, problems):
        return
    scheme, mark, rest = url.partition("://")
    database, _, driver = scheme.partition("+")
    if not mark or database not in _DATABASES:
        rule = f"a storage must be a URL of {', '.join(_DATABASES)}, but got {url}"
        close = nearest(database, _DATABASES) if mark else []
        advice = f"Did you mean `{close[0]}://{rest}`?" if close else ""
        problems.add(path, rule, advice or f"Type for example `sqlite:///{url.split('/')[-1]}`.")
        return
    if database == "sqlite" and not rest.strip("/"):
        rule = f"a sqlite storage must name its file, but got {url}"
        problems.add(path, rule, "Type for example `sqlite:///study.db`.")
    elif database == "sqlite" and not rest.startswith("/"):
        rule = f"a sqlite storage has three slashes before its file, but got {url}"
        problems.add(path, rule, f"Type `sqlite:///{rest}`.")
    elif database != "sqlite" and not urlsplit(url).hostname:
        rule = f"a {database} storage must name its host, but got {url}"
        problems.add(path, rule, f"Type for example `{database}://user@host/optuna`.")
    checks.package(_DRIVERS.get(driver, _DATABASES[database]), path, scheme, problems)


def _warm_starts(
    file: SweepFile, space: Space, baseline: Hyperparameters | None, problems: Problems
) -> list[Point]:
    points: list[Point] = []
    for index, plain in enumerate(file.search.warm_start):
        path: KeyPath = ("search", "warm_start", index)
        point = read_warm_start(index, plain, space, problems)
        if point is None:
            continue
        if point in points:
            rule = "warm starts must differ, but got the same point twice"
            problems.add(path, rule, "Delete one of the two.")
        else:
            points.append(point)
        if completed(space, point) == baseline:
            problems.warn(path, "this is the baseline, which is not run a second time")
    return points
