"""What a frame costs: the step beside the window network that would do the same from scratch.

    python examples/keyword_stream/cycles.py

Cycles come from the emulated core's timing model, from entry to return of <model>_run, both with the kernels
that the selection finds fastest; flash and RAM from the build for a board, firmware and protocol included.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from network import unrolled

import edgeternary
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError, script

HERE = Path(__file__).parent


def measured(graph: edgeternary.ir.Graph, x: np.ndarray, on: str, optimize: str) -> dict[str, Any]:
    """Figures of an executor whose answers are numpy's."""
    found = edgeternary.run.run(graph, x, on=on, options={"optimize": optimize})
    if not np.array_equal(found.outputs, edgeternary.run.run(graph, x).outputs):
        raise EdgeTernaryError(f"{on} differs from numpy", "", "report this as a bug", NOT_BIT_EXACT)
    words = ("cycles", "instructions", "flash_bytes", "ram_bytes", "compiler", "timing")
    return {word: found.stats.get(word) for word in words}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=HERE / "keyword-stream.et")
    parser.add_argument("--on", default="cortex-m4", help="an emulated core with a timing model")
    parser.add_argument("--optimize", default="cycles", help="cycles, flash or ram")
    parser.add_argument(
        "--board", default="netduinoplus2", help="flash and RAM of its whole image; '' for none"
    )
    args = parser.parse_args()
    graph, window = edgeternary.load(args.model), unrolled(args.model.with_suffix(".safetensors"))
    draws = np.random.default_rng(0)
    frames = draws.integers(0, 256, (1, 3, *graph.input.shape)).astype(np.uint8)
    once = draws.integers(0, 256, (1, *window.input.shape)).astype(np.uint8)
    step, whole = (measured(g, x, args.on, args.optimize) for g, x in ((graph, frames), (window, once)))
    found: dict[str, Any] = {
        "core": args.on, "step": step, "window": whole, "ratio": round(step["cycles"] / whole["cycles"], 4),
    }  # fmt: skip
    if args.board:
        project = edgeternary.compile(graph, board=args.board, build=True, optimize=args.optimize)
        said = ("image_bytes", "sections", "stack_bound")
        found["image"] = {"board": args.board} | {word: project.identity[word] for word in said}
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    script(main)
