"""Estimates of an FPGA design, made before any tool runs: totals, and figures of each layer."""

from typing import Any

from edgeternary.boards import Board
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph

SUMMED = ("luts", "ffs", "ram_blocks")
LINK: dict[str, Any] = {
    "name": "link",
    "ops": "uart",
    "luts": 600,
    "ffs": 340,
    "ram_blocks": 3,
}  # measured, docs/protocol.md


def estimated(graph: Graph, design: Any, asked: Constraints) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Totals and layers of a design (hdl.top.Design) that was planned for `asked`."""
    from edgeternary.hdl import devices, estimate

    part = devices.PARTS.get(asked.device)
    rows = estimate.by_part(design, asked.device, asked.blocks or (part.ram_blocks if part else None))
    clock = (asked.clock or part.clock) if part else 0
    return totals(design, rows, clock), layer_rows(graph, design, rows)


def with_link(
    estimates: dict[str, Any], layers: list[dict[str, Any]], design: Any, board: Board
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The estimates and layers of `estimated` with the serial link of a board beside the core."""
    from edgeternary.hdl.devices import family
    from edgeternary.hdl.loading import start_up_ms

    assert board.fpga and board.uart
    found = estimates | {word: estimates[word] + LINK[word] for word in SUMMED}
    if alone := family(board.fpga.device).alone:
        found["logic_cells"] = round(found["luts"] + alone * found["ffs"])
    if design.weights:
        found["start_up_ms"] = start_up_ms(design, board.clock_hz)
    return found | {"baud": board.uart.baud}, [*layers, dict(LINK)]


def totals(design: Any, rows: dict[str, dict[str, int]], clock: float) -> dict[str, Any]:
    """Totals over the parts; with a clock in MHz also frames a second and latency.

    padded  layers whose rows and columns were padded, for people to read
    """
    found: dict[str, Any] = {word: sum(row[word] for row in rows.values()) for word in SUMMED}
    if any(row["logic_cells"] != row["luts"] for row in rows.values()):
        found["logic_cells"] = sum(row["logic_cells"] for row in rows.values())
    if design.weights:
        found["single_port_rams"] = sum(row.get("single_port_rams", 0) for row in rows.values())
        found["load_bytes"] = len(design.weights)  # a byte a cycle where nothing slower sends them
    found |= {"multipliers": 0, "macs": design.graph.macs(), "cycles": design.cycles}
    found |= {"input_bits_a_cycle": sum(p.lanes * p.element.width for p in design.ins)}
    if design.answer and design.answer.beat > 1:
        found["answer_bytes_a_cycle"] = design.answer.beat
    if not design.answer:
        found["output_bits_a_cycle"] = sum(p.lanes * p.element.width for p in design.outs)
    if design.padded:
        found["padded"] = list(design.padded)
    if design.stateful:
        found["latency_cycles"] = design.latency
    if clock:
        found |= {"clock_mhz": clock, "frames_per_s": round(1e6 * clock / design.cycles)}
        found |= one_by_one(design, found.get("latency_cycles", 1), clock)
    return found


def one_by_one(design: Any, latency: int, mhz: float) -> dict[str, Any]:
    """Steps a second where each input waits for the answer before it, as that of a language model does."""
    return {"steps_per_s": round(1e6 * mhz / latency)} if design.stateful else {}


def layer_rows(graph: Graph, design: Any, rows: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """For each layer its fold and, of its parts together, LUTs, flip-flops, block RAMs; cycles a frame."""
    found: dict[str, dict[str, Any]] = {}
    for name, row in rows.items():
        layer = design.layers.get(name, name)
        total = found.setdefault(layer, {"name": layer, **dict.fromkeys(SUMMED, 0), "cycles": 0})
        for word in SUMMED:
            total[word] += row[word]
        if rams := row.get("single_port_rams"):
            total["single_port_rams"] = rams
        total["cycles"] = max(total["cycles"], design.busy.get(name, 0))
    ops = (*design.graph.ops, *graph.ops)  # of those that passes have put in place of others, too
    kinds = {op.name: op.kind for op in ops} | {s.value.name: "state" for s in graph.states}
    for layer, total in found.items():
        total["ops"] = kinds.get(layer, "input")
        if fold := design.folding.folds.get(layer):
            total |= {"pe": fold.pe, "simd": fold.simd}
    return list(found.values())
