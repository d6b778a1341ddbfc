"""Runs frames through a netlist that yosys made for iCE40: a frame a clock, without any simulator.

A signal is an array over clocks, so that a LUT is one look-up for all of them and a flip-flop moves its
input by one clock. That holds for pipelines alone: a netlist whose registers feed back is refused.
"""

import json
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edgeternary.errors import EdgeTernaryError

Bits = np.ndarray  # uint8 (clocks,): 0 or 1
INPUTS = {  # of each cell that a pipeline has
    "SB_LUT4": ("I0", "I1", "I2", "I3"), "SB_CARRY": ("I0", "I1", "CI"), "SB_DFF": ("D",),
    "SB_DFFSR": ("D", "R"), "SB_DFFSS": ("D", "S"),
}  # fmt: skip
OUTPUTS = {"SB_LUT4": "O", "SB_CARRY": "CO"}  # of flip-flops: Q
CHUNK = 1000  # frames at once


class Cell(NamedTuple):
    """kind, the nets of its inputs and its output; table: of a LUT, uint8 (16,)."""

    kind: str
    inputs: tuple[int | str, ...]
    output: int | str
    table: np.ndarray


class Netlist:
    """The module `top` of a file of write_json.

    EdgeTernaryError for a cell that is not in INPUTS, and for registers that feed back.
    """

    def __init__(self, path: Path, top: str) -> None:
        module = json.loads(path.read_text(encoding="utf-8"))["modules"][top]
        self.ports: dict[str, list[int | str]] = {
            name: port["bits"] for name, port in module["ports"].items()
        }
        cells = [_cell(name, cell) for name, cell in module["cells"].items()]
        made = {cell.output: cell for cell in cells}
        order = TopologicalSorter({cell.output: cell.inputs for cell in cells})
        try:
            self.cells = [made[net] for net in order.static_order() if net in made]
        except CycleError as error:
            raise EdgeTernaryError(
                f"{top} has feedback", "frames are run through pipelines alone", "leave out its frames"
            ) from error

    def run(self, port: str, answer: str, frames: np.ndarray, latency: int) -> np.ndarray:
        """What `answer` says of each frame, `latency` rising edges after it: int64 (frames,).

        frames  uint8 (frames, bytes), the bits of `port` from the lowest on
        """
        parts = [frames[i : i + CHUNK] for i in range(0, len(frames), CHUNK)]
        return np.concatenate([self._chunk(port, answer, part, latency) for part in parts])

    def _chunk(self, port: str, answer: str, frames: np.ndarray, latency: int) -> np.ndarray:
        held = np.concatenate([frames, np.repeat(frames[-1:], latency, 0)])  # the last one stays
        bits = np.unpackbits(held, axis=1, bitorder="little").T.copy()
        zero = np.zeros(len(held), np.uint8)
        signals: dict[int | str, Bits] = {"0": zero, "1": zero + 1, "x": zero, "z": zero}
        signals |= dict(zip(self.ports[port], bits, strict=False))
        for cell in self.cells:
            signals[cell.output] = _value(cell, [signals[net] for net in cell.inputs])
        said = sum(signals[net].astype(np.int64) << i for i, net in enumerate(self.ports[answer]))
        return np.asarray(said)[latency:]


def _cell(name: str, cell: Mapping[str, Any]) -> Cell:
    kind = cell["type"]
    if kind not in INPUTS:
        raise EdgeTernaryError(
            f"cell {name} is a {kind}", f"frames are run through {', '.join(INPUTS)}", "leave out its frames"
        )
    nets, init = cell["connections"], cell["parameters"].get("LUT_INIT", "0")
    table = np.array([int(bit) for bit in reversed(init.zfill(16).replace("x", "0"))], np.uint8)
    inputs = tuple(nets[pin][0] if nets.get(pin) else "0" for pin in INPUTS[kind])
    return Cell(kind, inputs, nets[OUTPUTS.get(kind, "Q")][0], table)


def _value(cell: Cell, ins: Sequence[Bits]) -> Bits:
    if cell.kind == "SB_LUT4":
        return np.asarray(cell.table[ins[0] | ins[1] << 1 | ins[2] << 2 | ins[3] << 3])
    if cell.kind == "SB_CARRY":
        return np.asarray((ins[0] + ins[1] + ins[2]) >> 1)
    taken = ins[0]
    if cell.kind == "SB_DFFSR":
        taken = taken & (1 - ins[1])
    elif cell.kind == "SB_DFFSS":
        taken = taken | ins[1]
    return np.concatenate([np.zeros(1, np.uint8), taken[:-1]])
