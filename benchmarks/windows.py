"""Windows of a map from a shift register and from a ring in memory, through yosys:
`python -m benchmarks.windows [FAMILY ...]`.

Rings with more read ports than MOST are not synthesised: for 25 of them yosys takes more than 20 GB.
"""

from __future__ import annotations

import sys
from typing import Any

from edgeternary.hdl import devices, memory
from edgeternary.hdl.emit import component_rtlil
from edgeternary.hdl.tools.synthesis import count_cells
from edgeternary.hdl.windows import cost
from edgeternary_hw import LineBuffer, Window

MOST = 9
# rows and columns of the map, of the window, bits of a pixel
SHAPES = (
    ((28, 28), (3, 3), 2), ((28, 28), (3, 3), 16), ((28, 160), (3, 3), 8), ((16, 16), (2, 2), 64),
    ((28, 28), (5, 5), 4), ((28, 28), (26, 26), 2),
)  # fmt: skip


def counted(part: Any, family: devices.Family) -> str:
    """LUTs, flip-flops and block RAMs after synthesis, memories where the planner puts them; and the cost
    that it compares."""
    part._MustUse__silence = True  # a copy of it is synthesised, or none
    price = f"{cost(part, family):,.0f}"
    if isinstance(part, Window) and part.taps > MOST:
        return f"| | | {price}"
    ((_, placed),) = memory.allocate([("part", part)], family, None).of([("part", part)])
    found = count_cells(component_rtlil(placed, "part"), "part", family.name)
    return f"{found['luts']:,} | {found['ffs']:,} | {found['ram_blocks']} | {price}"


def main() -> None:
    cells = "LUTs | FFs | block RAMs | cost"
    print(f"| family | map | window | bits | shift register: {cells} | ring: {cells} |")
    print("|---" * 12 + "|")
    for name in sys.argv[1:] or ("ecp5", "ice40"):
        family = devices.family(name)
        for size, kernel, bits in SHAPES:
            line = counted(LineBuffer(bits, size, kernel, (1, 1)), family)
            ring = counted(Window(bits, size, 1, kernel, (1, 1), (0, 0, 0, 0), wide=True), family)
            words = [name, *("x".join(map(str, pair)) for pair in (size, kernel)), str(bits), line, ring]
            print(f"| {' | '.join(words)} |", flush=True)


if __name__ == "__main__":
    main()
