"""The verbs and the lazy command group that imports a verb's module only when it is called."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import Annotated, Any

import typer
import typer.core
import typer.main

VERBS = {
    "init": "Look at labelled text and write a search space file for it.",
    "explore": "Show labels, lengths and likely errors of data, before a sweep or after it.",
    "validate": "Check a search space file and say what it would search.",
    "run": "Run a sweep from a search space file to its best checkpoint.",
    "resume": "Go on with an interrupted sweep, or give a finished one more trials.",
    "watch": "Show a sweep that another command runs, here or elsewhere, as it goes on.",
    "dashboard": "Open optuna-dashboard on a sweep's study.",
    "stop": "Stop a trial of a running sweep.",
    "add": "Have a running sweep try a point next.",
    "set": "Change the budget of a running sweep, or how many trials run at once.",
    "pause": "Stop a running sweep cleanly from another terminal.",
    "confirm": "Train a sweep's best trials again with fresh seeds, and choose by that.",
    "ls": "List the sweeps under the storage folder.",
    "show": "Show every trial of a sweep.",
    "best": "Name the best trial of a sweep and compare it with the baseline.",
    "compare": "Show sweeps side by side, and in what their files differ.",
    "evaluate": "Score a sweep's winner on the test split, once, or on a labelled file.",
    "reproduce": "Train a sweep's winner again and say whether the same comes out.",
    "predict": "Label text with a sweep's best checkpoint.",
    "export": "Write a sweep's best checkpoint as SavedModel, Keras, Hugging Face and ONNX.",
    "doctor": "Say what this machine has and what is wrong with it.",
    "schema": "Print the JSON Schema of search space files, for editors.",
}
"""Verb → its line in `bertsweep --help`; each is the module and the function of that name."""

_GROUP_EXAMPLES = (
    "bertsweep init reviews.csv",
    "bertsweep run reviews.yaml",
    "bertsweep best reviews",
)


@dataclass
class Invocation:
    """What the options of a running command tell `main`."""

    debug: bool = False


class _Verbs(typer.core.TyperGroup):
    """A group whose help comes from `VERBS` alone.

    Annotated with `Any` where typer has exchanged the click classes for its own between releases.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in VERBS:
            module = importlib.import_module(f"bertsweep.cli.{cmd_name}")
            return _single(cmd_name, module)
        near = difflib.get_close_matches(cmd_name, VERBS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"The commands are {', '.join(VERBS)}."
        return ctx.fail(f"no such command {cmd_name!r}. {hint}")

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            # Typer would end the command here, differently from release to release.
            from bertsweep.errors import InterruptedSweep

            raise InterruptedSweep("interrupted") from error


def command() -> Any:
    """The click command behind `bertsweep`."""
    app = _typer(cls=_Verbs, no_args_is_help=True, epilog=_epilog(_GROUP_EXAMPLES))
    app.callback()(_root)
    return typer.main.get_command(app)


def _single(name: str, module: Any) -> Any:
    """The command in a verb's module; a class of its own there is called COMMAND."""
    app = _typer()
    kind = getattr(module, "COMMAND", None)
    decorate = app.command(name, cls=kind, epilog=_epilog(module.EXAMPLES), no_args_is_help=False)
    decorate(getattr(module, name))
    return typer.main.get_command(app)


def _typer(**settings: Any) -> typer.Typer:
    # Rich help would cost 0.15 s a call.
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        **settings,
    )


def _epilog(examples: tuple[str, ...]) -> str:
    # \b keeps click from filling these lines into a paragraph.
    return "\b\n" + "\n".join(["Examples:", *(f"  {example}" for example in examples)])


def _version(value: bool) -> None:
    if value:
        from bertsweep.version import VERSION

        print(VERSION)
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Hyperparameter sweeps for BERT text classifiers that an engineer can trust."""
