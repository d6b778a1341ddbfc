"""Models of a family's LUTs that are one operation; yosys's own are a multiplexer for each input."""

from __future__ import annotations

MODULE = """module {cell}(input {inputs}, output {output});
  parameter [{last}:0] {init} = 0;
  {body}
endmodule
"""
CHOICE = "assign {output} = {init} >> {{{pins}}};"
FOUR = ("A", "B", "C", "D")
SIX = tuple(f"I{k}" for k in range(6))
LUTS: dict[str, list[tuple[str, str, tuple[str, ...], str]]] = {
    "ice40": [("SB_LUT4", "LUT_INIT", SIX[:4], "O")],
    "ecp5": [("LUT4", "INIT", FOUR, "Z")],
    "gowin": [(f"LUT{k}", "INIT", SIX[:k], "F") for k in range(1, 5)],
    "xilinx": [(f"LUT{k}", "INIT", SIX[:k], "O") for k in range(1, 7)],
}  # by the folder of yosys's models: cells, their parameter, inputs and output


def models(cells: tuple[str, ...], body: str = CHOICE) -> str:
    """Verilog of the LUTs of a family; cells: the files of yosys's models; body: what a module holds."""
    found = []
    for cell, init, pins, output in LUTS.get(cells[0].split("/")[0], ()):
        known = {"size": len(pins), "init": init, "pins": ", ".join(reversed(pins)), "output": output}
        inner, last = body.format(**known), (1 << len(pins)) - 1
        found.append(MODULE.format(cell=cell, inputs=", ".join(pins), last=last, body=inner, **known))
    return "".join(found)
