"""Images of zoo models, built once a run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from edgeternary import zoo
from edgeternary.boards import Board, load_board
from edgeternary.build.image import Image, link
from edgeternary.c.plan import Plan
from edgeternary.c.select import select
from edgeternary.toolchains import find

BY = "edgeternary test"


@cache
def plan(model: str, core: str) -> Plan:
    return select(zoo.load(model), core)


@cache
def image(model: str, board: str, compiler: str = "", spare: int = 0) -> Image:
    """With gcc where it is installed, which is quicker."""
    found = load_board(board)
    chosen = compiler or ("gcc" if find("arm-none-eabi-gcc").found else "zig")
    return link(plan(model, found.core), found, BY, compiler=chosen, spare=spare)


def elf(folder: Path, model: str, board: Board, spare: int = 0) -> Path:
    """The file that QEMU loads."""
    path = folder / f"{board.name}.elf"
    path.write_bytes(image(model, board.name, spare=spare).elf)
    return path


def samples(model: str, count: int, seed: int) -> tuple[list[bytes], list[bytes]]:
    """Real inputs as they go over the wire, and the answers: numbers, then the class."""
    inputs, codes = zoo.images(model)[0], zoo.logits(model)[0]
    graph = zoo.load(model)
    chosen = np.random.default_rng(seed).choice(len(inputs), count, replace=False)
    asked = [inputs[i].astype(graph.input.type.dtype).tobytes() for i in chosen]
    kind = graph.output_value.type.dtype.newbyteorder("<")
    return asked, [codes[i].astype(kind).tobytes() + bytes([int(codes[i].argmax())]) for i in chosen]
