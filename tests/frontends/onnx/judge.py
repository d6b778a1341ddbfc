"""Every .onnx file of a folder, imported and compared with the engine that runs the file itself.

    python benchmarks/brevitas_nets.py nets --count 200          # in an environment with brevitas
    python -m tests.frontends.onnx.judge nets --samples 60 --on host [--count 30] [--json]

Prints refusals, mismatches and the samples that a proven tie of float32 sums sets apart.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.files import read
from edgeternary.ops import build
from edgeternary.run.compare import compare


def judge(path: Path, samples: int, on: list[str]) -> dict[str, Any]:
    """Mismatches with numpy of the original file and of each executor, on random codes."""
    start = time.process_time()
    try:
        graph = read(path).graph
    except EdgeTernaryError as error:
        return {"file": path.name, "refused": str(error)}
    seconds = time.process_time() - start
    x = build.samples(np.random.default_rng(0), graph.input, samples)
    found: dict[str, Any] = {"file": path.name, "import_seconds": round(seconds, 2)}
    for result in compare(graph, x, ["original"], options={"original": {"original": str(path)}}):
        found |= {"original": result.mismatches, "ties": result.result.stats.get("ties", 0)}
    for executor in on:
        few = x[:2] if executor == "hdl" else x[:10] if executor.startswith("cortex") else x
        try:
            (result,) = compare(graph, few, [executor])
            found[executor] = result.mismatches
        except EdgeTernaryError as error:
            found[executor] = str(error)[:200]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--on", action="append", default=[], help="executors beside the original")
    parser.add_argument("--count", type=int, help="every n-th file, so that there are this many")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    files = sorted(given.folder.rglob("*.onnx"))
    files = files[:: max(len(files) // given.count, 1)][: given.count] if given.count else files
    rows = []
    for path in files:
        rows.append(judge(path, given.samples, given.on))
        if not given.json:
            print(rows[-1], flush=True)
    summary = {
        "files": len(rows),
        "refused": sum("refused" in row for row in rows),
        **{
            name: {
                "mismatches": sum(row[name] for row in rows if isinstance(row.get(name), int)),
                "files": sum(isinstance(row.get(name), int) for row in rows),
            }
            for name in ["original", *given.on]
        },
        "tied_samples": sum(row.get("ties", 0) for row in rows),
    }
    print(json.dumps({"rows": rows, **summary} if given.json else summary, indent=2))


if __name__ == "__main__":
    main()
