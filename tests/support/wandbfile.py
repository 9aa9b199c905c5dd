"""Reads W&B run files (`run-ID.wandb`) back, so that tests see what was really logged.

The format: a 7-byte header (`:W&B`, uint16 magic, uint8 version), then LevelDB log blocks of
32 KiB. A block holds chunks: crc32 over type and data, uint16 length, uint8 type (1 whole, 2 first,
3 middle, 4 last), data. The joined chunks of a record are a `Record` protocol buffer.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_BLOCK = 32 * 1024
_HEADER = struct.Struct("<4sHB")
_CHUNK = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def run_files(folder: Path) -> list[Path]:
    """Every run file under a folder that W&B wrote to, oldest first."""
    found = folder.glob("wandb/*run-*/run-*.wandb")
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.parent.name))


def history(path: Path) -> list[dict[str, Any]]:
    """The rows given to `log`, in order, W&B's own keys (`_step`, `_timestamp`, …) included."""
    return [
        _items(r.history.item) for r in _records(path) if r.WhichOneof("record_type") == "history"
    ]


def run_info(path: Path) -> dict[str, Any]:
    """What a run file says of its run: where it belongs, its config, summary, metrics and end.

    `tables` maps a key to `{columns, data}` of every table logged, `plots` names the plots,
    `exit_code` is None for a file whose run never finished, `axes` maps a metric (or pattern) to
    its x axis. W&B's own keys (`_wandb`, `_step`, …) are left out of config and summary.
    """
    info: dict[str, Any] = {"config": {}, "summary": {}, "axes": {}, "exit_code": None}
    for record in _records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            info |= {
                "project": run.project,
                "entity": run.entity,
                "group": run.run_group,
                "job_type": run.job_type,
                "run_id": run.run_id,
                "name": run.display_name,
            }
            _merge(info["config"], _items(run.config.update))
        elif kind == "config":
            _merge(info["config"], _items(record.config.update))
        elif kind == "summary":
            info["summary"] |= _items(record.summary.update)
        elif kind == "metric":
            info["axes"][record.metric.name or record.metric.glob_name] = record.metric.step_metric
        elif kind == "exit":
            info["exit_code"] = record.exit.exit_code
    info["plots"] = sorted(info["config"].pop("_wandb", {}).get("visualize", {}))
    info["summary"] = {k: v for k, v in info["summary"].items() if not k.startswith("_")}
    info["tables"] = dict(_tables(path, history(path)))
    return info


def artifacts(path: Path, kind: str) -> list[dict[str, Any]]:
    """Every artifact of a kind (W&B's `type`) that a run logged: name, aliases, metadata, files.

    `files` maps a path in the artifact to the MD5 (base64) it is to have, and the file that a later
    `wandb sync` sends.
    """
    logged = [r.artifact for r in _records(path) if r.WhichOneof("record_type") == "artifact"]
    return [
        {
            "name": one.name,
            "aliases": set(one.aliases),
            "metadata": json.loads(one.metadata),
            "files": {
                entry.path: (entry.digest, Path(entry.local_path))
                for entry in one.manifest.contents
            },
        }
        for one in logged
        if one.type == kind
    ]


def _records(path: Path) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    for data in _joined(path.read_bytes(), path):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        yield record


def _joined(data: bytes, path: Path) -> Iterator[bytes]:
    """Whole records; what a killed writer left half-written at the end is left out."""
    if not data:
        return
    identifier, _, _ = _HEADER.unpack_from(data)
    if identifier != b":W&B":
        raise ValueError(f"{path} is no W&B run file: it begins with {data[:7]!r}")
    position, parts = _HEADER.size, []
    while position + _CHUNK.size <= len(data):
        left_in_block = _BLOCK - position % _BLOCK
        if left_in_block < _CHUNK.size:
            position += left_in_block
            continue
        check, length, kind = _CHUNK.unpack_from(data, position)
        body = data[position + _CHUNK.size : position + _CHUNK.size + length]
        if kind == 0 or len(body) < length:
            return
        if zlib.crc32(bytes([kind]) + body) != check:
            raise ValueError(f"{path}: damaged at byte {position}")
        position += _CHUNK.size + length
        parts = [body] if kind in (_WHOLE, _FIRST) else [*parts, body]
        if kind in (_WHOLE, _LAST):
            yield b"".join(parts)


def _items(items: Iterable[Any]) -> dict[str, Any]:
    """Key → value; a nested key is a path into nested mappings."""
    values: dict[str, Any] = {}
    for item in items:
        *path, last = item.nested_key or [item.key]
        place = values
        for part in path:
            place = place.setdefault(part, {})
        place[last] = json.loads(item.value_json)
    return values


def _merge(values: dict[str, Any], update: dict[str, Any]) -> None:
    for key, value in update.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        else:
            values[key] = value


def _tables(path: Path, rows: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in rows:
        for key, value in row.items():
            if isinstance(value, dict) and value.get("_type") == "table-file":
                table = json.loads((path.parent / "files" / value["path"]).read_text())
                yield key, {"columns": table["columns"], "data": table["data"]}
