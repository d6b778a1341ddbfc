"""cocotb: a test bench around a model's Verilog that checks every beat while both sides pause at random."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from edgeternary.ir import Graph
from edgeternary.ir.names import identifier, plain
from edgeternary.templating import render


@dataclass(frozen=True)
class Vectors:
    """What goes in and what has to come out.

    i_bits, o_bits    width of the payloads of the ports i and o
    inputs, outputs   for each frame the payloads of its beats
    patience          cycles without an answer after which the hardware counts as stuck
    """

    i_bits: int
    o_bits: int
    inputs: Sequence[Sequence[int]]
    outputs: Sequence[Sequence[int]]
    patience: int

    def text(self, model: str) -> str:
        """vectors.json; payloads are hexadecimal, a frame a line."""

        def rows(frames: Sequence[Sequence[int]]) -> str:
            return ",\n    ".join(json.dumps([f"{beat:x}" for beat in frame]) for frame in frames)

        fields = {"inputs": rows(self.inputs), "outputs": rows(self.outputs)}
        lists = ",\n".join(f'  "{name}": [\n    {text}\n  ]' for name, text in fields.items())
        return f'{{\n  "model": {json.dumps(model)},\n{lists}\n}}\n'


def to_cocotb(graph: Graph, verilog: str, vectors: Vectors) -> dict[str, str]:
    """{file name: text}: the Verilog, vectors.json, the test bench, a Makefile for cocotb and a README."""
    name = identifier(graph.name)
    fields = {"name": name, "title": plain(graph.name), "vectors": vectors, "frames": len(vectors.inputs)}
    fields["stateful"] = bool(graph.states)
    files = {"test_bench.py": f"test_{name}.py", "Makefile": "Makefile", "README.md": "README.md"}
    texts = {file: render(f"export/cocotb/{template}.j2", fields) for template, file in files.items()}
    return {f"{name}.v": verilog, "vectors.json": vectors.text(graph.name), **texts}
