"""Hyperparameter sweeps for BERT text classifiers.

What the command line does, as functions::

    import bertsweep

    bertsweep.init("reviews.csv", encoder="models/minilm")   # writes reviews.yaml
    sweep = bertsweep.run("search_spaces/quickstart.yaml")   # a Sweep, when it has ended
    sweep.best().params, sweep.best().value, sweep.checkpoint()

    later = bertsweep.open_sweep("quickstart")               # by name or folder, also while it runs
    bertsweep.resume(later, trials=40)
    bertsweep.confirm(later)                                 # fresh seeds for the best of them
    bertsweep.evaluate(later).metrics                        # the test split, once
    bertsweep.Predictor.open(later.checkpoint()).predict(["Why is the sky blue?"])

Names are imported when they are first used: `import bertsweep` loads neither TensorFlow nor Ray.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from bertsweep.version import VERSION

__version__ = VERSION

if TYPE_CHECKING:
    from bertsweep.api import (
        confirm,
        evaluate,
        explore,
        export_model,
        init,
        load_spec,
        open_sweep,
        reproduce,
        resume,
        run,
    )
    from bertsweep.errors import (
        BertsweepError,
        ClusterError,
        DataError,
        DownloadError,
        EncoderError,
        EnvironmentFault,
        ExportError,
        InputError,
        InterruptedSweep,
        LedgerError,
        MissingPackageError,
        NonFiniteLossError,
        NoUsableTrialError,
        Problem,
        ReproductionError,
        SpecError,
        SweepNotFoundError,
        TrialError,
    )
    from bertsweep.predict import Prediction, Predictor
    from bertsweep.results import Sweep
    from bertsweep.scoring import Evaluation
    from bertsweep.spec import Confirm, SweepSpec

_PLACES = {
    "bertsweep.api": (
        "confirm",
        "evaluate",
        "explore",
        "export_model",
        "init",
        "load_spec",
        "open_sweep",
        "reproduce",
        "resume",
        "run",
    ),
    "bertsweep.errors": (
        "BertsweepError",
        "ClusterError",
        "DataError",
        "DownloadError",
        "EncoderError",
        "EnvironmentFault",
        "ExportError",
        "InputError",
        "InterruptedSweep",
        "LedgerError",
        "MissingPackageError",
        "NoUsableTrialError",
        "NonFiniteLossError",
        "Problem",
        "ReproductionError",
        "SpecError",
        "SweepNotFoundError",
        "TrialError",
    ),
    "bertsweep.predict": ("Prediction", "Predictor"),
    "bertsweep.results": ("Sweep",),
    "bertsweep.scoring": ("Evaluation",),
    "bertsweep.spec": ("Confirm", "SweepSpec"),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "BertsweepError",
    "ClusterError",
    "Confirm",
    "DataError",
    "DownloadError",
    "EncoderError",
    "EnvironmentFault",
    "Evaluation",
    "ExportError",
    "InputError",
    "InterruptedSweep",
    "LedgerError",
    "MissingPackageError",
    "NoUsableTrialError",
    "NonFiniteLossError",
    "Prediction",
    "Predictor",
    "Problem",
    "ReproductionError",
    "SpecError",
    "Sweep",
    "SweepNotFoundError",
    "SweepSpec",
    "TrialError",
    "__version__",
    "confirm",
    "evaluate",
    "explore",
    "export_model",
    "init",
    "load_spec",
    "open_sweep",
    "reproduce",
    "resume",
    "run",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'bertsweep' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
