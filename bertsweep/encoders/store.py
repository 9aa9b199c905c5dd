"""Where prepared encoders are kept: content-addressed folders and an index of what gave them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bertsweep.encoders.prepared import FORMAT, PreparedEncoder
from bertsweep.errors import EncoderError, EnvironmentFault


@dataclass(frozen=True)
class Store:
    """Prepared encoders under `folder`, private to the user; safe for several processes."""

    folder: Path

    def find(self, key: str) -> PreparedEncoder | None:
        """The encoder that `key` gave before, if it is still there and whole."""
        try:
            name = json.loads(self._index(key).read_text(encoding="utf-8"))["folder"]
            return PreparedEncoder.open(self.folder / Path(name).name)
        except (OSError, ValueError, KeyError, TypeError, EncoderError):
            return None

    def add(self, key: str, make: Callable[[Path], PreparedEncoder]) -> PreparedEncoder:
        """Lets `make` fill a fresh folder and keeps that under its hash, for `key` to find."""
        with self.scratch() as temporary:
            made = make(Path(temporary))
            final = self.folder / made.hash
            _publish(Path(temporary), final)
        text = json.dumps({"folder": final.name}) + "\n"
        index = self._index(key)
        index.parent.mkdir(mode=0o700, exist_ok=True)
        fresh = index.with_suffix(f".{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(index)
        return PreparedEncoder.open(final)

    def scratch(self) -> tempfile.TemporaryDirectory[str]:
        """A fresh private folder beside the encoders, removed when left."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return tempfile.TemporaryDirectory(
                prefix=".new-", dir=self.folder, ignore_cleanup_errors=True
            )
        except OSError as error:
            raise EnvironmentFault(
                f"the encoder cache {self.folder} cannot be written ({error.strerror}). "
                "Set BERTSWEEP_CACHE to a folder you can write to."
            ) from error

    def _index(self, key: str) -> Path:
        digest = hashlib.sha256(f"{FORMAT}\n{key}".encode()).hexdigest()
        return self.folder / "index" / f"{digest[:32]}.json"


def _publish(made: Path, final: Path) -> None:
    """Moves the folder into place in one step; another process's equal result is as good."""
    try:
        PreparedEncoder.open(final)
    except EncoderError:
        shutil.rmtree(final, ignore_errors=True)  # half a folder from before
        staged = made.with_name(f"{made.name}-done")
        made.rename(staged)
        try:
            staged.rename(final)
        except OSError:
            shutil.rmtree(staged, ignore_errors=True)
            PreparedEncoder.open(final)
