"""Folders of Hugging Face datasets: which files belong to which split.

Three layouts are supported: folders written by `save_to_disk` (`state.json`, `dataset_dict.json`),
snapshots of a Hub repository (`README.md` with `configs`, or parquet files named after their
splits), and folders of the datasets cache. Sources: https://huggingface.co/docs/datasets,
https://huggingface.co/docs/hub/datasets-manual-configuration.
"""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bertsweep.data.class_names import card, names_in_folder
from bertsweep.data.tables.formats import format_of
from bertsweep.errors import DataError

_SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""Names of splits in use elsewhere → ours."""

_SHARD = re.compile(r"-\d{3,}-of-\d{3,}$")


@dataclass(frozen=True)
class DatasetFolder:
    """The files of each split in order, and the `class_names` of ClassLabel columns.

    `unused` are splits with other names. `split` is False for a single table without splits, whose
    files are listed as `train`.
    """

    files: Mapping[str, tuple[Path, ...]]
    class_names: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...] = ()
    split: bool = True


def read_folder(folder: Path, config: str | None, shown: str) -> DatasetFolder | None:
    """Returns the dataset in a folder, or None if the folder holds none.

    `config` (`data.member`) selects one of several configurations. Raises `DataError` if it is
    missing or unknown, if files are missing, or if there is no train split.
    """
    if (folder / "state.json").is_file():
        files = {"train": _saved_files(folder)}
        return DatasetFolder(files, names_in_folder(folder, None), split=False)
    if (folder / "dataset_dict.json").is_file():
        named = _json(folder / "dataset_dict.json").get("splits", [])
        found = {str(name): _saved_files(folder / str(name)) for name in named}
        names = names_in_folder(folder / str(named[0]), None) if named else {}
        return _sorted_out(found, names, shown)
    configs = dict(_configurations(folder))
    if not configs:
        return None
    chosen = _chosen(configs, config, shown)
    names = names_in_folder(folder, chosen) or names_in_folder(folder / chosen, chosen)
    return _sorted_out(configs[chosen], names, shown)


def _sorted_out(
    found: Mapping[str, Sequence[Path]], names: Mapping[str, tuple[str, ...]], shown: str
) -> DatasetFolder:
    files: dict[str, tuple[Path, ...]] = {}
    unused = []
    for name, paths in found.items():
        split = _SPLITS.get(name.lower())
        if split is None or split in files:
            unused.append(name)
        else:
            files[split] = tuple(paths)
    if "train" not in files:
        raise DataError(
            f"{shown} has no split called train but {', '.join(map(repr, found))}. Name its files "
            "in data.source, such as data.source: {train: FILE}."
        )
    return DatasetFolder(files, names, tuple(unused))


def _chosen(configs: Mapping[str, object], config: str | None, shown: str) -> str:
    if config is not None and config in configs:
        return config
    named = ", ".join(map(repr, configs))
    if config is not None:
        raise DataError(f"data.member is {config!r}, but {shown} has the configurations {named}.")
    if len(configs) == 1 or "default" in configs:
        return "default" if "default" in configs else next(iter(configs))
    raise DataError(
        f"{shown} has several configurations: {named}. Set data.member to one of them, such as "
        f"data.member: {next(iter(configs))}"
    )


def _configurations(folder: Path) -> Iterator[tuple[str, dict[str, list[Path]]]]:
    """Yields (configuration, split → files) from README.md, else from file names."""
    stated = card(folder).get("configs")
    if isinstance(stated, list) and stated:
        for config in stated:
            if isinstance(config, dict):
                files = dict(_stated_files(folder, config.get("data_files")))
                if files:
                    yield str(config.get("config_name", "default")), files
        return
    for place in (folder, folder / "data"):
        if files := _named_files(place):
            yield "default", files
            return
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if files := _named_files(place):
            yield place.name, files


def _stated_files(folder: Path, data_files: Any) -> Iterator[tuple[str, list[Path]]]:
    """Yields (split, files) for the patterns of `data_files` in a README.md."""
    entries = data_files if isinstance(data_files, list) else [data_files]
    for entry in entries:
        split, given = "train", entry
        if isinstance(entry, dict):
            split, given = str(entry.get("split", "train")), entry.get("path")
        stated = [each for each in (given if isinstance(given, list) else [given]) if each]
        files = [path for pattern in stated for path in _matching(folder, str(pattern))]
        if stated and not files:
            raise DataError(
                f"{folder / 'README.md'} names the files {', '.join(map(repr, stated))} for the "
                f"split {split!r}, but there are none. Download the whole dataset."
            )
        if files:
            yield split, files


def _matching(folder: Path, pattern: str) -> list[Path]:
    """Returns the files of a folder that match a pattern; refuses one that leads outside."""
    parts = PurePosixPath(pattern).parts
    if "://" in pattern or ".." in parts or PurePosixPath(pattern).is_absolute():
        raise DataError(
            f"{folder / 'README.md'} names {pattern!r}, which is not inside the folder. Name the "
            "files in data.source."
        )
    found = glob.glob(str(Path(glob.escape(str(folder))) / pattern), recursive=True)
    return [Path(path) for path in sorted(found) if Path(path).is_file()]


def _named_files(folder: Path) -> dict[str, list[Path]]:
    """Returns split → parquet and arrow files of a folder and its subfolders, by their names.

    `train-00000-of-00002.parquet`, `ag_news-train.arrow` and `train/0000.parquet` belong to
    `train`.
    """
    if not folder.is_dir():
        return {}
    found: dict[str, list[Path]] = {}
    for path in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        if not path.is_file() or format_of(path.name) not in ("parquet", "arrow"):
            continue
        split = _SHARD.sub("", path.stem).rpartition("-")[2]
        if path.parent != folder:
            if path.parent.name not in _SPLITS or not split.isdigit():
                continue
            split = path.parent.name
        found.setdefault(split, []).append(path)
    return found if any(name in _SPLITS for name in found) else {}


def _saved_files(folder: Path) -> tuple[Path, ...]:
    """Returns the files of a folder written by `Dataset.save_to_disk`."""
    state = _json(folder / "state.json")
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise DataError(
            f"{folder} holds a selection of rows that was not written out. Call "
            "`flatten_indices()` before `save_to_disk`."
        )
    names = [Path(str(each.get("filename"))).name for each in state.get("_data_files", [])]
    files = tuple(folder / name for name in names)
    missing = [path for path in files if not path.is_file()]
    if missing or not files:
        raise DataError(
            f"{missing[0] if missing else folder / '*.arrow'} is missing. Save it again."
        )
    return files


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}. Save the dataset again.") from error
    return found if isinstance(found, dict) else {}
