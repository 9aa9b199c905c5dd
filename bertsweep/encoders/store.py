"""Where prepared encoders are kept: content-addressed folders, and an index of their sources."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bertsweep import atomic
from bertsweep.checksums import DamageError
from bertsweep.encoders import prepared
from bertsweep.encoders.prepared import FORMAT, PreparedEncoder
from bertsweep.errors import EnvironmentFault


@dataclass(frozen=True)
class Store:
    """Prepared encoders under `folder`, private to the user; safe for several processes.

    `notify` receives a sentence for the user when a damaged one is removed.
    """

    folder: Path
    notify: Callable[[str], None] = lambda _: None

    def find(self, key: str) -> PreparedEncoder | None:
        """The encoder that was made for `key` before, every file verified, or None."""
        try:
            name = json.loads(self._index(key).read_text(encoding="utf-8"))["folder"]
            folder = self.folder / Path(name).name
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return self._whole(folder)

    def add(self, key: str, make: Callable[[Path], PreparedEncoder]) -> PreparedEncoder:
        """Lets `make` fill a fresh folder and keeps that under its hash, for `key` to find."""
        with self.scratch() as draft:
            made = make(draft)
            final = self.folder / made.hash
            # Another process's equal result is as good.
            if self._whole(final) is None:
                atomic.publish(draft, final)
        index = self._index(key)
        index.parent.mkdir(mode=0o700, exist_ok=True)
        atomic.write_file(index, json.dumps({"folder": final.name}) + "\n")
        return PreparedEncoder.open(final)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A fresh private folder beside the encoders, removed when left."""
        with contextlib.ExitStack() as stack:
            try:
                draft = atomic.draft_folder(self.folder, "new", mode=0o700)
                folder = stack.enter_context(draft)
            except OSError as error:
                raise EnvironmentFault(
                    f"the encoder cache {self.folder} cannot be written ({error.strerror}). "
                    "Set BERTSWEEP_CACHE to a folder you can write to."
                ) from error
            yield folder

    def _whole(self, folder: Path) -> PreparedEncoder | None:
        """The encoder in a folder, or None; what is damaged is removed, and that is said."""
        if not folder.exists():
            return None
        try:
            return prepared.read_whole(folder)
        except DamageError as error:
            self.notify(f"the prepared encoder {folder} is made again: {error}")
            atomic.remove(folder)
            return None

    def _index(self, key: str) -> Path:
        digest = hashlib.sha256(f"{FORMAT}\n{key}".encode()).hexdigest()
        return self.folder / "index" / f"{digest[:32]}.json"
