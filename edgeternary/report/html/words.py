"""How the page names quantities, and writes numbers."""

from typing import Any

from edgeternary.report.tables import cell

NOTHING, MINUS, TIMES = "\u2013", "\u2212", "\u00d7"
FILTERS = ("word", "unit", "number", "share", "signed", "off", "shape")  # functions of the templates

# word: head of a column, or of a figure; its unit
WORDS = {
    "flash_bytes": ("Flash", "bytes"),
    "ram_bytes": ("RAM", "bytes"),
    "cycles": ("Cycles", "an inference"),
    "ms": ("Time", "ms an inference"),
    "inferences_per_s": ("Rate", "inferences/s"),
    "luts": ("LUTs", ""),
    "ffs": ("Flip-flops", ""),
    "ram_blocks": ("Block RAMs", ""),
    "single_port_rams": ("Single-port RAMs", ""),
    "multipliers": ("Multipliers", ""),
    "fmax_mhz": ("Clock reached", "MHz"),
    "latency_us": ("Latency", "µs"),
    "latency_cycles": ("Latency", "cycles"),
    "frames_per_s": ("Rate", "frames/s"),
    "estimated_cycles": ("Estimated cycles", ""),
    "estimated_flash_bytes": ("Estimated flash", "bytes"),
    "accuracy": ("Accuracy", ""),
    "weights": ("Weights", ""),
    "macs": ("MACs", ""),
    "packed_bytes": ("Packed weights", "bytes"),
}


def word(name: str) -> str:
    """The head for a word; any other word is its own head, in plain letters."""
    return WORDS.get(name, (name.replace("_", " "), ""))[0]


def unit(name: str, kind: str = "c") -> str:
    """The unit of a figure; cycles of hardware are those of a frame."""
    found = WORDS.get(name, ("", ""))[1]
    return "a frame" if name == "cycles" and kind == "fpga" else found


def number(value: Any, places: int | None = None) -> str:
    """With thousands separators; a dash for nothing."""
    if value is None or value == "":
        return NOTHING
    if places is not None:
        return f"{value:,.{places}f}"
    return cell(value)


def share(value: float | None) -> str:
    """A share as a percentage."""
    return NOTHING if value is None else f"{100 * value:.1f}\u00a0%"


def off(value: float | None) -> str:
    """An error as a percentage with its sign."""
    if value is None:
        return NOTHING
    text = f"{100 * value:+.1f}"
    return ("0.0" if float(text) == 0 else text.replace("-", MINUS)) + "\u00a0%"


def signed(value: float) -> str:
    """A difference: with its sign, and a real minus."""
    text = f"{value:+,}" if isinstance(value, int) else f"{value:+,.3g}"
    return "0" if value == 0 else text.replace("-", MINUS)


def shape(sizes: list[int]) -> str:
    return TIMES.join(map(str, sizes))
