"""TF Hub modules: an http(s) handle, or its tar.gz on disk, as sources of encoders."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bertsweep.download.archive import unpack
from bertsweep.encoders.files import fingerprint
from bertsweep.encoders.prepared import PreparedEncoder
from bertsweep.encoders.savedmodel import SavedModelFolder
from bertsweep.encoders.store import Store
from bertsweep.errors import EncoderError
from bertsweep.progress import Progress


@dataclass(frozen=True)
class HubArchive:
    """A tar.gz of a TF Hub module on disk."""

    path: Path
    store: Store = field(repr=False)

    def key(self) -> str:
        return fingerprint([self.path])

    def convert(self, out: Path, *, lowercase: bool | None, source: str) -> PreparedEncoder:
        """Unpacks into a temporary folder and converts that. Raises `EncoderError`."""
        with self.store.scratch() as folder:
            unpack(self.path, folder)
            model = _model_folder(folder, source)
            return SavedModelFolder(model).convert(out, lowercase=lowercase, source=source)


@dataclass(frozen=True)
class HubHandle:
    """The address of a TF Hub module, or of a mirror of it."""

    handle: str
    store: Store = field(repr=False)
    progress: Progress | None = field(default=None, repr=False)

    def key(self) -> str:
        return self.handle

    def convert(self, out: Path, *, lowercase: bool | None, source: str) -> PreparedEncoder:
        """Downloads, unpacks and converts. Raises `DownloadError`, `EncoderError`."""
        cached = cached_by_hub(self.handle)
        if cached is not None:
            return SavedModelFolder(cached).convert(out, lowercase=lowercase, source=source)
        from bertsweep.download.fetch import fetch

        archive = fetch(
            compressed(self.handle), cache=self.store.folder.parent, progress=self.progress
        )
        try:
            return HubArchive(archive, store=self.store).convert(
                out, lowercase=lowercase, source=source
            )
        except EncoderError:
            archive.unlink(missing_ok=True)  # a useless file must not be taken from the cache again
            raise


def compressed(handle: str) -> str:
    """Returns the address of a handle's tar.gz: `HANDLE?tf-hub-format=compressed`."""
    parts = urlsplit(handle)
    query = "&".join(filter(None, [parts.query, "tf-hub-format=compressed"]))
    return urlunsplit(parts._replace(query=query))


def cached_by_hub(handle: str) -> Path | None:
    """Returns the module's folder in tensorflow_hub's own cache (TFHUB_CACHE_DIR), if any."""
    root = os.environ.get("TFHUB_CACHE_DIR")
    if not root:
        return None
    # As in tensorflow_hub's compressed_module_resolver._module_dir; the hash guards nothing.
    name = hashlib.sha1(handle.encode(), usedforsecurity=False).hexdigest()
    folder = Path(root).expanduser() / name
    return folder if SavedModelFolder.matches(folder) else None


def _model_folder(unpacked: Path, source: str) -> Path:
    """Returns the unpacked folder, or a folder in it (some mirrors pack the folder itself)."""
    inside = [path for path in unpacked.iterdir() if path.is_dir()]
    for folder in (unpacked, *inside):
        if SavedModelFolder.matches(folder):
            return folder
    raise EncoderError(
        f"{source} must give the tar.gz of a TF Hub module of TensorFlow 2, but there is no "
        "saved_model.pb in it. Check the address."
    )
