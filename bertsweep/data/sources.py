"""Resolves `data.source` and `data.labels` to the files of every split.

A source is a path, a glob pattern, an http(s), s3 or gs address, the folder of a Hugging Face
dataset, or the built-in questions. Relative paths and patterns are resolved against the working
folder, then against the folder of the search space file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bertsweep.data import local_files
from bertsweep.data.class_names import Names
from bertsweep.data.dataset import SPLITS, Note
from bertsweep.data.huggingface import DatasetFolder, read_folder
from bertsweep.data.local_files import find_files, inside
from bertsweep.download.fetch import SCHEMES
from bertsweep.download.transfer import without_secrets
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Data, SourceFiles, Split

BUILTIN = "builtin:"


@dataclass(frozen=True)
class SourceFile:
    """One file: its path, or the address to fetch it from.

    Messages name it by `shown`; `member` selects one of several tables in it.
    """

    place: Path | str
    shown: str
    member: str | None = None


@dataclass(frozen=True)
class Sources:
    """The files of each split in order, and the label file of each of them, if there are any.

    `class_names` are stated by the folder of a Hugging Face dataset. `from_folder` is True if the
    splits were found in such a folder rather than stated by the user.
    """

    files: Mapping[str, tuple[SourceFile, ...]]
    labels: Mapping[str, tuple[SourceFile, ...]] = field(default_factory=dict)
    class_names: Names = field(default_factory=dict)
    from_folder: bool = False
    notes: tuple[Note, ...] = ()


def find_sources(data: Data, *, base: Path) -> Sources:
    """Returns the files that `data` names, without fetching or reading any of them.

    Raises `DataError` for a path or pattern that matches no file, a folder that is no dataset, and
    an address with an unknown scheme.
    """
    folder = _dataset_folder(data, base)
    if folder is not None:
        return folder
    found = {
        split: tuple(file for source in sources for file in locate(source, data, base))
        for split, sources in data.files().items()
    }
    labels = {
        split: tuple(
            file for source in sources for file in locate(source, data, base, key="data.labels")
        )
        for split, sources in data.label_files().items()
    }
    for split, files in labels.items():
        if len(files) != len(found[split]):
            raise DataError(
                f"each file of data.source must have one of data.labels, but {split} has "
                f"{len(found[split])} and {len(files)}. Give as many of both."
            )
    return Sources(found, labels)


def absolute(data: Data, base: Path) -> Data:
    """Returns the section with every local path and pattern absolute, valid in any working folder.

    Addresses and built-in data stay as they are. Raises `DataError` for a path or pattern that
    matches no file.
    """
    changed = {"source": _absolute(data.source, base, "data.source")}
    if data.labels is not None:
        changed["labels"] = _absolute(data.labels, base, "data.labels")
    return data.model_copy(update=changed)


def is_local(source: str) -> bool:
    """Whether a source is a path or pattern on this machine."""
    return not source.startswith(BUILTIN) and "://" not in source


Files = str | tuple[str, ...] | SourceFiles


def _absolute(files: Files, base: Path, key: str) -> Files:
    if isinstance(files, str):
        return local_files.absolute(files, base, key=key) if is_local(files) else files
    if isinstance(files, tuple):
        return tuple(str(_absolute(each, base, key)) for each in files)
    given = {split: getattr(files, split) for split in SPLITS}
    return files.model_copy(
        update={name: _absolute(each, base, key) for name, each in given.items() if each}
    )


def locate(source: str, data: Data, base: Path, *, key: str = "data.source") -> list[SourceFile]:
    """Returns the files that one path, pattern or address names; messages call the setting `key`.

    Raises `DataError` if there are none.
    """
    if source.startswith(BUILTIN):
        return [SourceFile(source, source)]
    if not is_local(source):
        return [_address(source, data.member, key)]
    found = find_files(source, base, key=key)
    if len(found) == 1 and found[0].is_dir():
        return _folder_files(found[0], data, key)
    matched = len(found) > 1 or found[0].name != Path(source).name
    return [SourceFile(path, str(path) if matched else source, data.member) for path in found]


def _address(source: str, member: str | None, key: str) -> SourceFile:
    shown = without_secrets(source)
    scheme = source.partition("://")[0].lower()
    if scheme not in SCHEMES:
        raise DataError(
            f"an address begins with one of {', '.join(SCHEMES)}, but {key} is {shown!r}. Give "
            "such an address, or a path."
        )
    if not scheme.startswith("http") and "*" in source:
        raise DataError(
            f"the address of an object must name one, but {key} is {shown!r}. List the addresses."
        )
    return SourceFile(source, shown, member)


def _folder_files(folder: Path, data: Data, key: str) -> list[SourceFile]:
    """Returns the files of a dataset folder without splits, which is used as one split."""
    found = read_folder(folder, data.member, str(folder))
    if found is None or found.split:
        hint = "Give it as data.source itself." if found is not None else inside(folder)
        what = "a dataset with splits" if found is not None else "a folder"
        raise DataError(f"{key} must be a file here, but {folder} is {what}. {hint}")
    return [SourceFile(path, str(path)) for path in found.files["train"]]


def _dataset_folder(data: Data, base: Path) -> Sources | None:
    """Returns the splits of the Hugging Face folder that `data.source` names, or None."""
    if not isinstance(data.source, str) or not is_local(data.source):
        return None
    found = find_files(data.source, base)
    if len(found) > 1 or not found[0].is_dir():
        return None
    folder = read_folder(found[0], data.member, str(found[0]))
    if folder is None:
        raise DataError(
            "data.source must be a file or the folder of a Hugging Face dataset, but "
            f"{found[0]} is a folder without one. {inside(found[0])}"
        )
    if data.labels is not None:
        raise DataError(f"data.labels has no effect on the dataset {found[0]}. Leave it out.")
    return Sources(
        {
            split: tuple(SourceFile(path, str(path)) for path in folder.files[split])
            for split in SPLITS
            if split in folder.files
        },
        class_names=folder.class_names,
        from_folder=folder.split,
        notes=tuple(_folder_notes(data, folder, found[0])),
    )


def _folder_notes(data: Data, folder: DatasetFolder, path: Path) -> list[Note]:
    """Returns notes on unused splits; raises `DataError` for a size of a split that has files."""
    for split in ("validation", "test"):
        usual = Split.model_fields[split].default
        if folder.split and split in folder.files and getattr(data.split, split) != usual:
            raise DataError(
                f"data.split.{split} has no effect where the dataset has that split, as {path} "
                "does. Leave it out, or name the files in data.source."
            )
    if not folder.unused:
        return []
    named = ", ".join(map(repr, folder.unused))
    said = f"{path}: its splits {named} are not used; data.source can name their files."
    return [Note("unused_splits", len(folder.unused), said)]
