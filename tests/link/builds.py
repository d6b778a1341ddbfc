"""Folders that look like those of `compile --board`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edgeternary.ir import Graph
from edgeternary.ir.file import save

DIGEST = "0123456789abcdef" * 4


def write_build(folder: Path, graph: Graph, board: str = "microbit", kind: str = "mcu", **words: Any) -> Path:
    """A build of `graph` whose image is empty; `words` go into its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    save(graph, folder / f"{graph.name}.et")
    image = words.pop("image", f"{graph.name}.hex")
    (folder / image).touch()
    manifest = {
        "board": board, "kind": kind, "model": graph.name, "graph": f"{graph.name}.et", "digest": DIGEST,
        "image": image, "estimates": {"estimated_cycles": 900},
        "measured": {"flash_bytes": 5000, "ram_bytes": 700},
        "layers": [
            {"name": "fc", "kernel": "dense", "estimated_cycles": 630},
            {"name": "out", "kernel": "dense", "estimated_cycles": 330},
        ],
    }  # fmt: skip
    (folder / "edgeternary.json").write_text(json.dumps({**manifest, **words}))
    return folder
