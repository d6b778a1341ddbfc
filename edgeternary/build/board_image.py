"""The image of a model for a microcontroller board: its files, and what the manifest says of it."""

from typing import Any

import numpy as np

from edgeternary.boards import Board
from edgeternary.build import image as images
from edgeternary.build.image import Image
from edgeternary.build.image_sources import SelfTest, reference
from edgeternary.c.plan import Plan
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.ir.ports import join
from edgeternary.version import __version__

SELF_TESTS = 4  # inputs that an image with a self test carries


def make(plan: Plan, board: Board, compiler: str, opt_level: str) -> Image:
    """The image; build.image.Overflow when it does not fit."""
    test = self_test(plan.graph) if board.self_test else None
    by = f"edgeternary {__version__}"
    return images.link(plan, board, by, compiler=compiler, opt_level=opt_level, test=test)


def self_test(graph: Graph) -> SelfTest:
    """Random inputs, always the same ones, and what the integer graph answers; one step each with states."""
    from edgeternary.run.numpy import run

    codes = random_codes(graph, SELF_TESTS, seed=6)
    outputs = run(graph, codes[:, None] if graph.states else codes).outputs
    return reference(graph, codes, outputs)


def random_codes(graph: Graph, count: int, seed: int) -> np.ndarray:
    """int32 (count, *shape), each a member of its input's type and interval; several in their joined form."""
    rng, found = np.random.default_rng(seed), {}
    for x in graph.inputs:
        codes = rng.integers(x.lo, x.hi + 1, (count, *x.shape), dtype=np.int32)
        found[x.name] = (
            np.where(codes > 0, x.hi, x.lo).astype(np.int32) if x.type.name == "bipolar" else codes
        )
    return join(graph.inputs, found)


def files(graph: Graph, image: Image) -> dict[str, bytes | str]:
    """{name: content}: ELF, Intel HEX, plain binary and, for a chip that takes it, UF2."""
    name = identifier(graph.name)
    found: dict[str, bytes | str] = {"elf": image.elf, "hex": image.hex, "bin": image.bin, "uf2": image.uf2}
    return {f"{name}.{kind}": content for kind, content in found.items() if content}


def facts(plan: Plan, image: Image) -> dict[str, Any]:
    """What the manifest says of the image.

    image         the file that is flashed
    image_bytes   of it in flash: code, constants, initial values, boot stage, serial protocol
    sections      {section: bytes}; .stack is what is reserved: the static bound
    stack_bound   bytes of stack that it needs at most
    cycle_layers  the layers whose cycles a board counts, in the order of its reply
    """
    name = identifier(plan.graph.name)
    return {
        "image": f"{name}.uf2" if image.uf2 else f"{name}.bin",
        "digest": image.digest,
        "image_bytes": len(image.bin),
        "sections": image.sections,
        "stack_bound": image.stack_bytes,
        "cycle_layers": [step.layer for step in plan.calls if step.ops],
        "compiler": image.compiler,
    }
