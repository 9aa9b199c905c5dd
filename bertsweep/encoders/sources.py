"""The sources that `encoder.source` can name, and how each becomes a prepared encoder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bertsweep.download.transfer import without_secrets
from bertsweep.encoders import tiny
from bertsweep.encoders.checkpoint import CheckpointFolder
from bertsweep.encoders.hub import HubArchive, HubHandle
from bertsweep.encoders.hub_model import SCHEME, HubModel, parse
from bertsweep.encoders.huggingface import HuggingFaceFolder
from bertsweep.encoders.prepared import PreparedEncoder
from bertsweep.encoders.savedmodel import SavedModelFolder
from bertsweep.encoders.store import Store
from bertsweep.encoders.tiny import BuiltinTiny
from bertsweep.errors import BertsweepError, DownloadError, EncoderError
from bertsweep.progress import Progress

if TYPE_CHECKING:
    from bertsweep.spec.models import Encoder


class Source(Protocol):
    """A place that an encoder can come from.

    The tests in `tests/encoders/test_sources.py` state what every source must do.
    """

    def key(self) -> str:
        """Returns a text that is equal only where the same encoder would come out; it is cheap."""

    def convert(self, out: Path, *, lowercase: bool | None, source: str) -> PreparedEncoder:
        """Writes the prepared encoder into the folder `out`.

        `lowercase` None means what the encoder itself says; `source` is the name to record and to
        use in messages. Raises `EncoderError`, and `DownloadError` for an address.
        """


def prepare_encoder(
    encoder: Encoder,
    *,
    cache: Path,
    base: Path,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> PreparedEncoder:
    """Returns the encoder that a search space file names, prepared once and kept under `cache`.

    `source` is tried first, then the mirrors in order. If one of them was prepared before, it is
    verified and nothing is downloaded; a damaged one is prepared again, and `notify` receives a
    sentence. Relative folders are looked up in the current folder, then in `base`. TensorFlow is
    never imported: SavedModels are converted in a process of their own. Raises `EncoderError`, or
    `DownloadError` when an address could not be downloaded; with mirrors the error lists each
    failure.
    """
    store = Store(cache / "encoders", notify)
    lowercase = None if encoder.lowercase == "auto" else encoder.lowercase
    failures: list[tuple[str, BertsweepError]] = []
    located: list[tuple[str, Source]] = []
    for address in (encoder.source, *encoder.mirrors):
        try:
            located.append((address, locate(address, store=store, base=base, progress=progress)))
        except EncoderError as error:
            failures.append((address, error))
    for address, source in located:
        if found := store.find(_key(source, lowercase=lowercase)):
            return replace(found, source=without_secrets(address))
    for address, source in located:
        try:
            return _convert(store, source, lowercase=lowercase, name=without_secrets(address))
        except (EncoderError, DownloadError) as error:
            failures.append((address, error))
    raise _all_failed(failures)


def encoder_at_hand(
    encoder: Encoder, *, cache: Path, base: Path, notify: Callable[[str], None] = lambda _: None
) -> PreparedEncoder | None:
    """Returns what `prepare_encoder` returns where that takes no download, else None.

    That is so of built-in encoders, of folders, and of addresses that were prepared before. Raises
    `EncoderError` for a folder that cannot be used and for what is no address.
    """
    store = Store(cache / "encoders", notify)
    lowercase = None if encoder.lowercase == "auto" else encoder.lowercase
    source = locate(encoder.source, store=store, base=base)
    if found := store.find(_key(source, lowercase=lowercase)):
        return replace(found, source=without_secrets(encoder.source))
    if isinstance(source, (HubModel, HubHandle)):
        return None
    return _convert(store, source, lowercase=lowercase, name=without_secrets(encoder.source))


def absolute(encoder: Encoder, base: Path) -> Encoder:
    """The section with every local path absolute, so that it means the same from every folder.

    A path is looked for in the current folder, then in `base`; one that is in neither is taken to
    lie in `base`. Addresses and built-in encoders stay as they are.
    """

    def settled(address: str) -> str:
        if address.startswith("builtin:") or "://" in address:
            return address
        return str(_find(address, base) or base.absolute() / Path(address).expanduser())

    mirrors = tuple(settled(mirror) for mirror in encoder.mirrors)
    return encoder.model_copy(update={"source": settled(encoder.source), "mirrors": mirrors})


def locate(address: str, *, store: Store, base: Path, progress: Progress | None = None) -> Source:
    """Returns the source that an address names, without converting it.

    Raises `EncoderError` that says what an address may be.
    """
    if address.startswith("builtin:"):
        if address == tiny.NAME:
            return BuiltinTiny()
        raise EncoderError(
            f"the only built-in encoder is {tiny.NAME}, but got {address!r}. Type {tiny.NAME}."
        )
    if address.startswith(SCHEME):
        parse(address)
        return HubModel(address, store=store)
    if address.startswith(("http://", "https://")):
        return HubHandle(address, store=store, progress=progress)
    if "://" in address:
        raise EncoderError(
            "the address of an encoder must start with http://, https:// or hf://, but got "
            f"{without_secrets(address)!r}. Copy it to a folder and give the folder."
        )
    return _local(address, store=store, base=base)


def _local(address: str, *, store: Store, base: Path) -> Source:
    path = _find(address, base)
    if path is None:
        raise EncoderError(
            f"encoder.source must name a folder, an address or {tiny.NAME}, but there is no "
            f"{address!r} here or in {base}. Give the full path of the folder."
        )
    if path.is_file() and path.name.endswith((".tar.gz", ".tgz")):
        return HubArchive(path, store=store)
    if SavedModelFolder.matches(path):
        return SavedModelFolder(path)
    if CheckpointFolder.matches(path):
        return CheckpointFolder(path)
    if HuggingFaceFolder.matches(path):
        return HuggingFaceFolder(path)
    there = ", ".join(sorted(os.listdir(path))[:6]) if path.is_dir() else "a file"
    raise EncoderError(
        "an encoder folder must hold saved_model.pb (TF Hub, SavedModel), config.json and "
        "model.safetensors (Hugging Face) or bert_config.json and a checkpoint (the original "
        f"BERTs), but {path} is {there or 'empty'}. "
        "Give the folder that holds these files."
    )


def _find(address: str, base: Path) -> Path | None:
    """A path in the current folder, else in `base`, if it exists."""
    given = Path(address).expanduser()
    places = (given.absolute(), base.absolute() / given)
    return next((path for path in places if path.exists()), None)


def _convert(store: Store, source: Source, *, lowercase: bool | None, name: str) -> PreparedEncoder:
    made = store.add(
        _key(source, lowercase=lowercase),
        lambda folder: source.convert(folder, lowercase=lowercase, source=name),
    )
    return replace(made, source=name)  # equal encoders share a folder, wherever they came from


def _key(source: Source, *, lowercase: bool | None) -> str:
    return f"{type(source).__name__}\nlowercase={lowercase}\n{source.key()}"


def _all_failed(failures: list[tuple[str, BertsweepError]]) -> BertsweepError:
    if len(failures) == 1:
        return failures[0][1]
    lines = [f"  {without_secrets(address)}: {error}" for address, error in failures]
    text = "\n".join([f"none of the {len(failures)} places of the encoder can be used:", *lines])
    # Exit code 3 only where the network alone is to blame.
    if all(isinstance(error, DownloadError) for _, error in failures):
        return DownloadError(text)
    return EncoderError(text)
