"""`bertsweep dashboard`."""

from __future__ import annotations

import contextlib
import importlib.util
from typing import Annotated

import typer

from bertsweep.api import open_sweep
from bertsweep.cli._options import Debug, Storage, Sweep
from bertsweep.cli._output import console
from bertsweep.errors import InputError, MissingPackageError

EXAMPLES = ("bertsweep dashboard quora", "bertsweep dashboard quora --port 9000")


def dashboard(
    sweep: Sweep,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, metavar="PORT", help="Port to serve at.")
    ] = 8080,
    host: Annotated[
        str,
        typer.Option("--host", metavar="HOST", help="Address to serve at; this machine alone."),
    ] = "127.0.0.1",
    storage: Storage = None,
    debug: Debug = False,
) -> None:
    """Open optuna-dashboard on the sweep's study, also while it runs; Ctrl-C ends it.

    The study is a mirror: what is changed there changes nothing of the sweep.
    """
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise MissingPackageError(
            "the dashboard needs the package optuna-dashboard. Type: pip install optuna-dashboard"
        )
    opened = open_sweep(sweep, storage=storage)
    kept = (opened.state.started.spec.get("search") or {}).get("storage")
    if kept is None and not opened.paths.study.is_file():
        raise InputError(
            f"{opened.name} has no study yet: {opened.paths.study} is absent. It comes with the "
            "first trial."
        )
    console().print(f"{opened.name} at http://{host}:{port} (Ctrl-C ends it)", soft_wrap=True)
    from optuna_dashboard import run_server

    with contextlib.suppress(KeyboardInterrupt):
        try:
            run_server(kept or f"sqlite:///{opened.paths.study}", host=host, port=port)
        except OSError as error:
            raise InputError(
                f"nothing can be served at {host}:{port} ({error.strerror}); --port gives another"
            ) from error
