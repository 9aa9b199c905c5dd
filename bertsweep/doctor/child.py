"""Tries Ray or TensorFlow: `python -m bertsweep.doctor.child ray|tensorflow` prints one JSON line.

It runs in a process of its own, so that the caller never imports either.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any


def tensorflow() -> dict[str, Any]:
    """Returns the GPUs that TensorFlow can use, after a matrix product on the first device."""
    tf = importlib.import_module("tensorflow")
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, enable=True)
    product = tf.linalg.matmul(tf.ones([64, 64]), tf.ones([64, 64]))
    names = [tf.config.experimental.get_device_details(gpu).get("device_name") for gpu in gpus]
    return {"gpus": [name or "GPU" for name in names], "device": product.device.rsplit("/", 1)[-1]}


def ray(address: str | None) -> dict[str, Any]:
    """Returns nodes, CPUs, GPUs and accelerators of the cluster at `address`, else of a new one."""
    module = importlib.import_module("ray")
    if address:
        module.init(address=address, log_to_driver=False, logging_level="ERROR")
    else:
        module.init(
            address="local", include_dashboard=False, log_to_driver=False, logging_level="ERROR"
        )
    try:
        resources = module.cluster_resources()
        nodes = [node for node in module.nodes() if node["Alive"]]
        types = [
            name.split(":", 1)[1] for name in resources if name.startswith("accelerator_type:")
        ]
        return {
            "nodes": len(nodes),
            "cpus": resources.get("CPU", 0.0),
            "gpus": resources.get("GPU", 0.0),
            "accelerators": sorted(types),
        }
    finally:
        module.shutdown()


def main(arguments: list[str]) -> int:
    """Prints the answer on the real stdout; whatever the libraries print goes to stderr."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    what, *rest = arguments
    seen = tensorflow() if what == "tensorflow" else ray(rest[0] if rest else None)
    answer.write(json.dumps(seen) + "\n")
    answer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
