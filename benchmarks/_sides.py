"""Sides of a comparison: processes that are given their turns, one at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks._inputs import REPOSITORY
from benchmarks._tables import say


class Channel:
    """A side's end: a JSON line on stdin is its turn, a JSON line on stdout its answer.

    Whatever else writes to stdout goes to stderr from here on.
    """

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def receive(self) -> dict[str, Any] | None:
        """What the program says next; None when it wants no more turns."""
        line = sys.stdin.readline()
        return json.loads(line) if line else None

    def send(self, message: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()


class Side:
    """The program's end of a `Channel`: one process, given its turns."""

    def __init__(self, command: Sequence[str], **environment: str) -> None:
        # Open as long as the side lives: `close` closes it.
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=REPOSITORY,
            # oneDNN for both sides, as a sweep's actors have it: a default on some processors only.
            env={
                **os.environ,
                "TF_CPP_MIN_LOG_LEVEL": "2",
                "TF_ENABLE_ONEDNN_OPTS": "1",
                **environment,
            },
        )

    def turn(self) -> dict[str, Any]:
        """Gives it its turn and waits for the answer."""
        assert self._process.stdin
        self._process.stdin.write("{}\n")
        self._process.stdin.flush()
        return self.receive()

    def receive(self) -> dict[str, Any]:
        """Its next message; ends the program with the side's last words when it has died."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            raise SystemExit("a side ended too soon. Its last words:\n" + self._log.read()[-3000:])
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Ends it by closing its stdin, or at last by its process id."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()


@contextmanager
def started(commands: Mapping[str, Sequence[str]], **environment: str) -> Iterator[dict[str, Side]]:
    """All sides, one after the other, each ready before the next starts."""
    sides: dict[str, Side] = {}
    try:
        for name, command in commands.items():
            sides[name] = Side(command, **environment)
            sides[name].receive()
            say(f"{name}: ready")
        yield sides
    finally:
        for side in sides.values():
            side.close()


def alternate(sides: Mapping[str, Side], *, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Every side's answers, a turn each a round; a first round of warm-up is left out."""
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            answer = side.turn()
            rate = answer["examples"] / answer["seconds"]
            say(f"round {number or 'of warm-up'}: {name}: {rate:.1f} examples/s")
            if number:
                answers[name].append(answer)
    return answers
