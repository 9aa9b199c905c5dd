"""Runs the programs, or the named ones, one after the other: `python -m benchmarks [NAME …]`.

A program that lacks its inputs says so and is left out. All of them together take hours.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from benchmarks._inputs import ABSENT, REPOSITORY
from benchmarks._tables import say

PROGRAMS: dict[str, Sequence[Sequence[str]]] = {
    "tokens": [[]],
    "growth": [[]],
    "selection": [[]],
    "chaos": [[]],
    "winner": [["--task", "quora"], ["--task", "trec6"]],
    "overhead": [[]],
    "step": [[], ["--profile"]],
    "batches": [[], ["--quality"]],
    "recipe": [["--steady"], ["--trial"]],
    "recipes": [[]],
    "curves": [[]],
    "huggingface": [[]],
    "warmstart": [[]],
    "predict": [[], ["--precision", "mixed_bfloat16"]],
    "sweep": [[]],
    "search": [[]],
}
"""Name → the arguments of each of its runs."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    names = parser.parse_args().names or list(PROGRAMS)
    if unknown := sorted(set(names) - set(PROGRAMS)):
        parser.error(f"a NAME is one of {', '.join(PROGRAMS)}, but got {', '.join(unknown)}")
    ended: dict[str, list[str]] = {}
    for name in names:
        for arguments in PROGRAMS[name]:
            command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
            print(f"\n# {' '.join(command[1:])}\n", flush=True)
            code = subprocess.run(command, cwd=REPOSITORY, check=False).returncode
            how = {0: "measured", ABSENT: "left out, see above"}.get(code, f"failed with {code}")
            ended.setdefault(how, []).append(" ".join([name, *arguments]))
    for how, what in ended.items():
        say(f"{how}: {', '.join(what)}")
    return int(any(how.startswith("failed") for how in ended))


if __name__ == "__main__":
    sys.exit(main())
