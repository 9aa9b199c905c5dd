"""The names behind the numbers of a ClassLabel column of Hugging Face datasets.

They stand in the metadata of parquet and arrow files, in `dataset_info.json`, in
`dataset_infos.json` and in the first lines of `README.md` (`dataset_info`). The number -1 means
that a row has no label.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.data.dataset import Note
from bertsweep.spec.document import read

if TYPE_CHECKING:
    import pandas as pd

    Labels = pd.Series[str]

Names = Mapping[str, tuple[str, ...]]
"""Column → the names of its classes 0, 1, …"""

_NAMED = 8
_NO_LABEL = "-1"


def with_names(
    labels: Sequence[Labels], names: Sequence[tuple[str, ...]], column: str
) -> tuple[list[Labels], list[Note]]:
    """The label columns of all splits, with names for numbers where that is safe, and notes.

    `names` are those of each split, empty where none are known. It is safe where all splits have
    the same and no label is anything but their numbers, -1 or empty.
    """
    known = {each for each in names if each}
    if not known:
        return list(labels), []
    first = next(iter(known))
    mapping = {str(number): name for number, name in enumerate(first)} | {_NO_LABEL: "", "": ""}
    odd = next((label for each in labels for label in each.unique() if label not in mapping), None)
    if len(known) > 1 or not all(names) or odd is not None or len(set(first)) < len(first):
        why = "not all splits say the same" if odd is None else f"{odd!r} is none of their numbers"
        said = f"the classes of {column!r} have names, but the numbers are kept: {why}."
        return list(labels), [Note("class_names", 1, said)]
    listed = ", ".join(f"{number} = {name}" for number, name in enumerate(first[:_NAMED]))
    more = ", …" if len(first) > _NAMED else ""
    said = (
        f"the classes of {column!r} are called as the dataset says: {listed}{more} "
        "(data.table.class_names: false keeps the numbers)."
    )
    return [each.map(mapping) for each in labels], [Note("class_names", len(first), said)]


def names_near(file: Path, config: str | None = None) -> Names:
    """The class names that the description of a dataset says in the folder of a file or above."""
    for folder in (file.parent, file.parent.parent):
        if found := names_in_folder(folder, config):
            return found
    return {}


def names_in_folder(folder: Path, config: str | None) -> Names:
    """Column → class names of the dataset in a folder; empty where none are said.

    `config` is the configuration that is meant of several.
    """
    for features in _features(folder, config):
        if names := dict(_class_labels(features)):
            return names
    return {}


def card(folder: Path) -> dict[str, Any]:
    """The YAML at the beginning of a folder's README.md, empty where there is none."""
    try:
        text = (folder / "README.md").read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}
    if not text.startswith("---"):
        return {}
    head = text.removeprefix("---").partition("\n---")[0]
    plain = read(head)[0].plain
    return plain if isinstance(plain, dict) else {}


def _features(folder: Path, config: str | None) -> Iterator[Any]:
    """The descriptions of columns in a folder, the nearest to the data first."""
    yield _json(folder / "dataset_info.json").get("features")
    infos = _json(folder / "dataset_infos.json")
    yield _of_config(list(infos.items()), config)
    stated = card(folder).get("dataset_info")
    entries = stated if isinstance(stated, list) else [stated]
    named = [(each.get("config_name"), each) for each in entries if isinstance(each, dict)]
    yield _of_config(named, config)


def _of_config(infos: Sequence[tuple[Any, Any]], config: str | None) -> Any:
    """The columns of the only configuration, or of the one that is meant."""
    chosen = [info for name, info in infos if len(infos) == 1 or name == config]
    return chosen[0].get("features") if chosen and isinstance(chosen[0], dict) else None


def _class_labels(features: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Column → names, of `features` as JSON files (a mapping) or README files (a list) write it."""
    if isinstance(features, dict):
        for column, feature in features.items():
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
                yield str(column), tuple(map(str, feature.get("names") or ()))
    elif isinstance(features, list):
        for feature in features:
            kind = feature.get("dtype") if isinstance(feature, dict) else None
            if isinstance(kind, dict) and isinstance(kind.get("class_label"), dict):
                names = kind["class_label"].get("names")
                if isinstance(names, dict) and all(str(key).isdigit() for key in names):
                    names = [names[key] for key in sorted(names, key=int)]
                if isinstance(names, list):
                    yield str(feature.get("name")), tuple(map(str, names))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):  # descriptions help; without one the numbers stay
        return {}
    return found if isinstance(found, dict) else {}
