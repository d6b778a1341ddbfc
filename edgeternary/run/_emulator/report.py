"""What was measured, in the words that reports use."""

from edgeternary.run._emulator.image import Image
from edgeternary.run._emulator.measured import Count, Measured, mean, step_sizes
from edgeternary.run.result import Stat


def totals(image: Image, measured: Measured) -> dict[str, Stat]:
    """instructions, cycles, ram_bytes, stack_bytes, timing, counted; with wait states cycles_most."""
    return {
        "instructions": mean(measured.total.instructions, measured.calls),
        "cycles": mean(measured.total.cycles, measured.calls),
        **_most(measured.total, measured.calls),
        "ram_bytes": image.variable_bytes + measured.stack_bytes,
        "stack_bytes": measured.stack_bytes,
        "timing": measured.timing,
        "counted": measured.calls,
    }


def layer_rows(image: Image, measured: Measured) -> list[dict[str, Stat]]:
    """One row a step, what it calls included; the last row is what <model>_run does itself.

    step        its index
    code_bytes  of the step's own function, without what it calls and without tables; None where a compiler
                found it equal to another step's and kept that one
    """
    rows: list[dict[str, Stat]] = []
    steps = image.model.steps
    code = step_sizes(image.elf, image.model.prefix)
    for index in sorted(measured.layers, key=lambda index: (index < 0, index)):
        count = measured.layers[index]
        name, kernel = steps[index] if 0 <= index < len(steps) else (f"{image.model.prefix}_run", "")
        rows.append(
            {
                "name": name,
                "step": index,
                "kernel": kernel,
                "instructions": mean(count.instructions, measured.calls),
                "cycles": mean(count.cycles, measured.calls),
                **_most(count, measured.calls),
                "code_bytes": code.get(index),
            }
        )
    return rows


def _most(count: Count, calls: int) -> dict[str, Stat]:
    return {} if count.most is None else {"cycles_most": mean(count.most, calls)}
