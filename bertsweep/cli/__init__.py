"""The command line: `bertsweep VERB …`, one module a verb, each a thin wrapper over the package."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

from bertsweep.errors import BertsweepError, EnvironmentFault, InterruptedSweep

_UNEXPECTED = BertsweepError.exit_code


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; `arguments` default to those of the process.

    0 done, 1 no usable trial, 2 wrong input, 3 an environment fault or a defect of bertsweep, 130
    interrupted. What went wrong is one message on stderr; a traceback stands there with `--debug`.
    """
    from bertsweep.cli._app import Invocation, command

    invocation = Invocation()
    try:
        command().main(
            args=None if arguments is None else list(arguments),
            prog_name="bertsweep",
            obj=invocation,
        )
    except SystemExit as end:  # the command line library ends every command this way
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BertsweepError as error:
        return _report(error, str(error), error.exit_code, debug=invocation.debug)
    except KeyboardInterrupt as error:
        return _report(error, "interrupted", InterruptedSweep.exit_code, debug=invocation.debug)
    except OSError as error:
        code = EnvironmentFault.exit_code
        return _report(
            error, f"{_os_error(error)}{_ask_debug(invocation.debug)}", code, invocation.debug
        )
    except Exception as error:  # noqa: BLE001 - the outermost boundary: no traceback for the user
        message = f"unexpected {type(error).__name__}: {_one_line(error)}"
        message += _ask_debug(invocation.debug)
        return _report(error, message, _UNEXPECTED, debug=invocation.debug)
    return 0


def _report(error: BaseException, message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    lead = "" if isinstance(error, (InterruptedSweep, KeyboardInterrupt)) else "error: "
    print(f"{lead}{message}", file=sys.stderr)
    return code


def _ask_debug(debug: bool) -> str:
    return "" if debug else " (run again with --debug for the traceback)"


def _os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or _one_line(error)}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or "no message"
