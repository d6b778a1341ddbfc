"""Executor serial:PORT: a board that runs the model, at the other end of a line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.link.client import SECONDS, Client
from edgeternary.link.codec import check_model
from edgeternary.link.converse import converse
from edgeternary.link.ports import NO_TIME, keeps_time
from edgeternary.run.result import Result, Stat

TARGETED = True  # the port is part of the name
BAUD = 115_200
NO_CYCLES = "the device counts none"


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), or (samples, steps, *shape) with states. It has no taps.

    target   the port, see link.ports.open_port
    options  baud, patience (seconds an answer may take), digest (of the build that must be there), progress
    stats    cycles of an inference, the mean of all, None with the reason in `cycles_why` where none are
             counted or an emulator keeps no time; board, digest, repeats
    layers   cycles of each, as far as the device counts them
    EdgeTernaryError where nothing or something else answers.
    """
    if not target:
        raise EdgeTernaryError(
            "executor serial needs a port", "it talks to a board", "for example serial:/dev/ttyACM0", USAGE
        )
    baud, patience = _number(options.get("baud"), BAUD), _number(options.get("patience"), SECONDS)
    progress = options.get("progress")
    moved = progress if callable(progress) else lambda done, total: None
    with Client.open(target, int(baud), max(patience, SECONDS)) as client:
        hello = client.hello()
        check_model(hello, graph, target, str(options.get("digest") or ""))
        talk = converse(client, hello, graph, inputs, moved)
    timed = keeps_time(target)
    counted = [round(cycles, 1) or None if timed else None for cycles in talk.mean_cycles()] or [None]
    stats: dict[str, Stat] = {"cycles": counted[0]}
    if counted[0] is None:
        stats["cycles_why"] = NO_CYCLES if timed else NO_TIME
    stats |= {
        "board": hello.target,
        "digest": hello.digest,
        "built_by": hello.build,
        "repeats": client.repeats,
    }
    layers: list[dict[str, Stat]] = [{"step": k, "cycles": cycles} for k, cycles in enumerate(counted[1:])]
    return Result(talk.outputs, stats=stats, layers=layers)


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and value else default
