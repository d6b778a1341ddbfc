"""Takes `.et` bytes apart and puts changed ones together, legal or not, without the safetensors library."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edgeternary.ir import Graph
from edgeternary.ir.file import KEY, to_bytes


@dataclass
class Parts:
    """header (JSON object), the model inside it (JSON object), and the data after it."""

    header: dict[str, Any]
    model: dict[str, Any]
    data: bytearray
    raw: dict[str, str] = field(default_factory=dict)

    def join(self) -> bytes:
        """The file: `raw` texts, if given, stand for the model's or the header's JSON."""
        header = copy.deepcopy(self.header)
        if KEY in header.get("__metadata__", {}):
            header["__metadata__"][KEY] = self.raw.get("model", json.dumps(self.model))
        text = self.raw.get("header", json.dumps(header)).encode()
        return len(text).to_bytes(8, "little") + text + bytes(self.data)

    def tensor(self, name: str) -> memoryview:
        """The bytes of a tensor, to be changed in place."""
        begin, end = self.header[name]["data_offsets"]
        return memoryview(self.data)[begin:end]

    def op(self, name: str) -> dict[str, Any]:
        return next(op for op in self.model["ops"] if op["name"] == name)


def split(data: bytes) -> Parts:
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    return Parts(header, json.loads(header["__metadata__"][KEY]), bytearray(data[8 + size :]))


def changed(graph: Graph, change: Callable[[Parts], object]) -> bytes:
    """`.et` bytes of `graph` after `change` had its way with the parts."""
    parts = split(to_bytes(graph))
    change(parts)
    return parts.join()
