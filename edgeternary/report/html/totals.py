"""The figures of the whole model: what was measured where something was, else what was estimated."""

from collections.abc import Mapping
from typing import Any

from edgeternary.report.times import at_clock

# word of `measured`, word of `estimates`, what a measured one comes from
C = (
    ("flash_bytes", "estimated_flash_bytes", "built"),
    ("ram_bytes", "static_ram_bytes", "built"),
    ("cycles", "estimated_cycles", "counted"),
)
FPGA = (
    ("luts", "luts", "synthesised"),
    ("ffs", "ffs", "synthesised"),
    ("ram_blocks", "ram_blocks", "synthesised"),
    ("multipliers", "multipliers", "synthesised"),
    ("single_port_rams", "single_port_rams", "synthesised"),
    ("fmax_mhz", "", "placed"),
    ("latency_us", "", "placed"),
    ("latency_cycles", "latency_cycles", "simulated"),
    ("cycles", "cycles", "simulated"),
    ("frames_per_s", "frames_per_s", "placed"),
)
PLANNED = ("multipliers", "cycles", "latency_cycles")  # of a design, which are exact before it is built


def totals(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """word, value, source of each figure, in the words for quantities; `of` is what the target has.

    source  estimated, planned (exact before anything is built), or what a tool did: built, counted, ...

    Of a core on a board also ms and inferences_per_s, at the board's clock.
    """
    target, measured, estimates = found["target"], found["measured"], found["estimates"]
    rows: list[dict[str, Any]] = []
    for word, estimate, source in FPGA if target["kind"] == "fpga" else C:
        if measured.get(word) is not None:
            rows.append({"word": word, "value": measured[word], "source": source})
        elif estimates.get(estimate) is not None:
            exact = target["kind"] == "fpga" and word in PLANNED
            source = "planned" if exact else "estimated"
            rows.append({"word": word, "value": estimates[estimate], "source": source})
    for row in rows:
        row["of"] = target.get(row["word"])
    by_word = {row["word"]: row for row in rows}
    cycles, clock = by_word.get("cycles"), target["clock_hz"]
    if target["kind"] == "c" and cycles:
        speed = at_clock(cycles["value"], clock or 0)
        rows += [{"word": w, "value": v, "source": cycles["source"], "of": None} for w, v in speed.items()]
    return rows
