"""The hardware that an executor runs: the bare core, or the design that goes onto a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph

if TYPE_CHECKING:
    from edgeternary.hdl.top import Design


def design_for(graph: Graph, device: str, options: Mapping[str, object]) -> Design:
    """The core of a graph for device "", else what goes onto the device: its answers are bytes.

    options  fps, max_luts, maximize ("fps"), clock: how the device's design is folded, see hdl.constraints;
             latency: for the core as well; embedded: whether the device's is a core inside a larger design
    EdgeTernaryError (code 2) for an unknown device, and for an embedded core of none.
    """
    from edgeternary.hdl.constraints import Constraints
    from edgeternary.hdl.devices import family
    from edgeternary.hdl.hints import design

    latency = options.get("latency") or 0
    if not isinstance(latency, int) or latency < 0:
        raise EdgeTernaryError(
            f"bad option latency={latency!r}", "it is a number of clocks", "use a whole number", USAGE
        )
    embedded = bool(options.get("embedded"))
    if not device:
        return design(graph, Constraints(latency=latency, embedded=embedded))
    family(device)
    fps, max_luts = options.get("fps") or 0, options.get("max_luts") or 0
    if not isinstance(fps, int | float) or fps < 0 or not isinstance(max_luts, int) or max_luts < 0:
        raise EdgeTernaryError(
            f"bad options fps={fps!r}, max_luts={max_luts!r}",
            "fps is a number of frames a second and max_luts one of LUTs",
            code=USAGE,
        )
    clock = float(options.get("clock") or 0)  # type: ignore[arg-type]
    fastest = options.get("maximize") == "fps"
    asked = Constraints(
        device,
        float(fps),
        max_luts=max_luts,
        maximize=fastest,
        clock=clock,
        latency=latency,
        embedded=embedded,
    )
    return design(graph, asked)


def need_device(executor: str, device: str, known: tuple[str, ...]) -> None:
    """EdgeTernaryError (code 2) if no device was named."""
    if not device:
        raise EdgeTernaryError(
            f"executor {executor} needs a device",
            f"the devices are {', '.join(known)}",
            f"for example {executor}:{known[0]}",
            USAGE,
        )


def stage(options: Mapping[str, object]) -> Callable[[str], None]:
    """The option `stage`: a function that is called with a text for each stage of a long build."""
    told = options.get("stage")
    return told if callable(told) else lambda text: None
