"""Names of the classes of a ClassLabel column in Hugging Face datasets.

A ClassLabel column stores integers. Their names are found in the metadata of parquet and arrow
files, in `dataset_info.json`, in `dataset_infos.json` and in the YAML header of `README.md` (key
`dataset_info`). The integer -1 marks a row without a label.
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
    """Returns the label columns of all splits, integers replaced by names if possible, and notes.

    `names` holds the class names of each split, empty if unknown. Integers are replaced only if all
    splits have the same names and every label is one of their numbers, -1 or empty.
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
        f"the classes of {column!r} have the names that the dataset states: {listed}{more} "
        "(data.table.class_names: false keeps the numbers)."
    )
    return [each.map(mapping) for each in labels], [Note("class_names", len(first), said)]


def names_near(file: Path, config: str | None = None) -> Names:
    """Returns the class names that a dataset description states in a file's folder or its parent.

    `config` selects one of several configurations.
    """
    for folder in (file.parent, file.parent.parent):
        if found := names_in_folder(folder, config):
            return found
    return {}


def names_in_folder(folder: Path, config: str | None) -> Names:
    """Returns column → class names of the dataset in a folder; empty if none are stated.

    `config` selects one of several configurations.
    """
    for features in _features(folder, config):
        if names := dict(_class_labels(features)):
            return names
    return {}


def card(folder: Path) -> dict[str, Any]:
    """Returns the YAML header of a folder's README.md; empty if there is none."""
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
    """Yields the descriptions of columns in a folder, the most specific first."""
    yield _json(folder / "dataset_info.json").get("features")
    infos = _json(folder / "dataset_infos.json")
    yield _of_config(list(infos.items()), config)
    stated = card(folder).get("dataset_info")
    entries = stated if isinstance(stated, list) else [stated]
    named = [(each.get("config_name"), each) for each in entries if isinstance(each, dict)]
    yield _of_config(named, config)


def _of_config(infos: Sequence[tuple[Any, Any]], config: str | None) -> Any:
    """Returns the columns of the only configuration, or of the selected one."""
    chosen = [info for name, info in infos if len(infos) == 1 or name == config]
    return chosen[0].get("features") if chosen and isinstance(chosen[0], dict) else None


def _class_labels(features: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields (column, names) from `features` of a JSON file (mapping) or a README.md (list)."""
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
    except (OSError, ValueError):  # a description is optional; without one the numbers stay
        return {}
    return found if isinstance(found, dict) else {}
