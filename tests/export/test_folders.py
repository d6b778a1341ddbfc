"""export --to make, cmake, platformio, ...: whole folders, built as there, that notice a wrong bit."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from edgeternary.build.exported import exported
from edgeternary.build.files import write_folder
from edgeternary.export.folders import formats
from edgeternary.report.tiny import tiny_graph
from tests.full import FULL
from tests.need import need
from tests.registry.graphs import inputs, leaky

IMAGES = np.random.default_rng(5).integers(0, 256, (3, 6, 6, 1), dtype=np.int32)
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
SANE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def make(format: str, folder: Path) -> Path:
    write_folder(folder / "made", exported(tiny_graph(), format, IMAGES))
    return folder / "made"


def call(command: Sequence[str | Path], folder: Path) -> str:
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, f"{found.stdout}\n{found.stderr}"
    return found.stdout


def spoil(vectors: Path) -> None:
    """Changes the first output of the first sample."""
    head, tail = vectors.read_text().split("tiny_outputs", 1)
    vectors.write_text(
        head + "tiny_outputs" + re.sub(r"\{ (-?\d+)", lambda m: f"{{ {int(m[1]) + 1}", tail, count=1)
    )


@pytest.mark.parametrize("format", sorted(formats()))
def test_every_format_is_whole(format: str) -> None:
    """Files that format.toml names are there, nothing is left of a template, and it is the same each time."""
    if formats()[format].sources == "verilog":
        need("amaranth")
    files = exported(tiny_graph(), format, IMAGES)
    assert files == exported(tiny_graph(), format, IMAGES)
    assert "README.md" in files
    for path, content in files.items():
        assert not Path(path).is_absolute() and ".." not in path and "NAME" not in path
        if isinstance(content, str):
            verilog = path.endswith(".v")  # which has braces of its own
            assert verilog or ("{{" not in content and "{%" not in content), path
            assert content.endswith("\n") and not content.endswith("\n\n"), path


def test_make(tmp_path: Path) -> None:
    need("gcc")
    folder = make("make", tmp_path)
    options = f"CFLAGS={' '.join((*WARNINGS, *SANE))}"
    assert "0 of 3 samples differ" in call(["make", "run", options], folder)
    call(["make", "lib", f"CFLAGS=-O2 {' '.join(WARNINGS)}"], folder)
    spoil(folder / "vectors.h")
    found = subprocess.run(["make", "run", options], cwd=folder, capture_output=True, text=True)
    assert (
        found.returncode and "sample 0: DIFFERS" in found.stdout and "1 of 3 samples differ" in found.stdout
    )


@pytest.mark.system
@pytest.mark.parametrize("cpu", ["", "cortex-m0plus", *(["cortex-m4"] * FULL)])
def test_cmake(cpu: str, tmp_path: Path) -> None:
    """For this machine, and for cores in QEMU; each build runs its test."""
    need("cmake", *(("arm-none-eabi-gcc", "qemu-system-arm") if cpu else ("gcc",)))
    folder = make("cmake", tmp_path)
    flags = f"-DCMAKE_C_FLAGS={' '.join(WARNINGS)}"
    chosen = ["-DCMAKE_TOOLCHAIN_FILE=cmake/arm-none-eabi.cmake", f"-DCPU={cpu}"] if cpu else [flags]
    call(["cmake", "-B", "build", *chosen], folder)
    call(["cmake", "--build", "build"], folder)
    assert "0 of 3 samples differ" in call(["ctest", "--test-dir", "build", "-V", "--timeout", "60"], folder)
    spoil(folder / "example" / "vectors.h")
    call(["cmake", "--build", "build"], folder)
    found = subprocess.run(["ctest", "--test-dir", "build", "-V"], cwd=folder, capture_output=True, text=True)
    assert found.returncode and "1 of 3 samples differ" in found.stdout


ARDUINO = """
#include <cstdio>
#include <cstdlib>
struct SerialPort {
    void begin(long) {}
    void print(const char *text) { std::fputs(text, stdout); }
    void print(long value) { std::printf("%ld", value); }
    template <typename T> void println(T value) { print(value); std::puts(""); }
    void println(unsigned long) { std::puts("0"); }
};
static SerialPort Serial;
static unsigned long micros() { return 0; }
static void delay(int) { std::exit(0); }
"""


def test_arduino(tmp_path: Path) -> None:
    """The sketch as C++, the library as C, as its builder does; the board is this machine."""
    need("gcc")
    folder = make("arduino", tmp_path)
    sketch = "tiny_samples"
    text = (folder / "examples" / sketch / f"{sketch}.ino").read_text()
    (folder / "examples" / sketch / "sketch.cpp").write_text(
        f"{ARDUINO}{text}int main() {{ setup(); loop(); }}\n"
    )
    call(["gcc", "-std=gnu11", *WARNINGS, "-c", "src/tiny.c", "-o", "tiny.o"], folder)
    call(
        [
            "g++",
            "-std=gnu++17",
            *WARNINGS,
            *SANE,
            "-Isrc",
            f"examples/{sketch}/sketch.cpp",
            "tiny.o",
            "-o",
            "run",
        ],
        folder,
    )
    lines = call(["./run"], folder).splitlines()
    assert len(lines) == 3 and all("same bits" in line for line in lines)
    entries = dict(line.split("=", 1) for line in (folder / "library.properties").read_text().splitlines())
    assert {
        "name",
        "version",
        "author",
        "maintainer",
        "sentence",
        "paragraph",
        "category",
        "url",
        "architectures",
    } <= set(entries)


def test_platformio(tmp_path: Path) -> None:
    """Its native environment by hand: C++ for the example, C for the library below lib/."""
    need("gcc")
    folder = make("platformio", tmp_path)
    call(["gcc", "-std=c99", *WARNINGS, "-c", "lib/tiny/src/tiny.c", "-o", "tiny.o"], folder)
    call(
        [
            "g++",
            "-std=c++17",
            *WARNINGS,
            *SANE,
            "-Ilib/tiny/src",
            "-Iinclude",
            "src/main.cpp",
            "tiny.o",
            "-o",
            "run",
        ],
        folder,
    )
    assert call(["./run"], folder).count("same bits") == 3
    assert json.loads((folder / "lib/tiny/library.json").read_text())["name"] == "tiny"
    assert "[env:native]" in (folder / "platformio.ini").read_text()


def test_zephyr(tmp_path: Path) -> None:
    """Names agree between module.yml, Kconfig, CMake and the sample; its main builds with a printk."""
    need("gcc")
    folder = make("zephyr", tmp_path)
    module = (folder / "zephyr" / "module.yml").read_text()
    assert re.search(r"^  cmake: \.$", module, re.M) and re.search(r"^  kconfig: Kconfig$", module, re.M)
    assert (folder / "Kconfig").read_text().startswith("config TINY\n\tbool ")
    assert "if(CONFIG_TINY)" in (folder / "CMakeLists.txt").read_text()
    assert "CONFIG_TINY=y\n" in (folder / "sample" / "prj.conf").read_text()
    header = folder / "stub" / "zephyr" / "sys" / "printk.h"
    header.parent.mkdir(parents=True)
    header.write_text("#include <stdio.h>\n#define printk printf\n")
    paths = ["-Iinclude", "-Istub", "sample/src/main.c", "src/tiny.c"]
    call(["gcc", "-std=c11", *WARNINGS, *SANE, *paths, "-o", "run"], folder)
    said = call(["./run"], folder)
    pattern = re.search(r'- "(.*)"', (folder / "sample" / "sample.yaml").read_text())
    assert pattern and re.search(pattern[1], said)


def test_cmsis_pack() -> None:
    """The archive holds what the description names, and the folder's files to the byte."""
    files = exported(tiny_graph(), "cmsis-pack", IMAGES)
    content = files["edgeternary.tiny.1.0.0.pack"]
    assert isinstance(content, bytes)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        held = {name: archive.read(name).decode() for name in archive.namelist()}
    assert held == {path: text for path, text in files.items() if not path.endswith(".pack")}
    root = ET.fromstring(held["edgeternary.tiny.pdsc"])
    assert [root.findtext("vendor"), root.findtext("name")] == ["edgeternary", "tiny"]
    for file in root.iter("file"):
        name = file.attrib["name"]
        assert name in held or any(path.startswith(name) for path in held if name.endswith("/")), name
    used = {element.attrib["condition"] for element in root.iter("component")}
    assert used == {element.attrib["id"] for element in root.iter("condition")}


@pytest.mark.system
@pytest.mark.parametrize(("format", "top"), [("vivado", "tiny_axis"), ("litex", "tiny_wishbone")])
def test_verilog(format: str, top: str, tmp_path: Path) -> None:
    """Verilator does not warn; scripts name the files, their top and its ports."""
    need("amaranth", "verilator")
    folder = make(format, tmp_path)
    files = [f"rtl/{top}.v", "rtl/tiny.v"]
    call(["verilator", "--lint-only", "-Wall", "--top-module", top, *files], folder)
    text = (folder / "rtl" / f"{top}.v").read_text()
    header = re.search(rf"^module {top} \((.*?)\);", text, re.M | re.S)
    assert header
    ports = set(re.findall(r"(?:input|output) +(?:wire|reg) +(?:\[.*\] )?(\w+)", header[1]))
    if format == "litex":
        script = (folder / "tiny.py").read_text()
        ast.parse(script)
        named = set(re.findall(r"^            [io]_(\w+)=", script, re.M))
        assert named == ports and '("", "_wishbone")' in script
        return
    scripts = "".join((folder / f"{name}.tcl").read_text() for name in ("create_project", "package_ip"))
    assert scripts.count(f"set_property top {top} ") == 2
    assert all(scripts.count(f"$here/{file}") == 2 for file in files)
    assert {"aclk", "aresetn", "s_axis_tdata", "s_axis_tlast", "m_axis_tvalid"} <= ports


@pytest.mark.system
def test_the_bench_for_vivado_runs(tmp_path: Path) -> None:
    need("amaranth", "iverilog")
    folder = make("vivado", tmp_path)
    files = ["tiny_axis_tb.v", "../rtl/tiny_axis.v", "../rtl/tiny.v"]
    call(["iverilog", "-g2005", "-o", "bench", *files], folder / "sim")
    assert call(["vvp", "bench"], folder / "sim").startswith("PASS")


def test_the_descriptions_of_formats() -> None:
    for name, format in formats().items():
        raw = tomllib.loads(
            Path(__file__).parents[2].joinpath("templates/export", name, "format.toml").read_text()
        )
        assert raw["title"] == format.title and format.files


@pytest.mark.slow
def test_hardware_folders_say_how_states_are_forgotten() -> None:
    need("amaranth")
    steps = inputs(leaky(), 1, steps=2)
    litex, vivado = (exported(leaky(), format, steps) for format in ("litex", "vivado"))
    assert "leaky_reset(void)" in str(litex["example.c"]) and "{%" not in str(litex["example.c"])
    assert "s_axis_tuser" in str(vivado["README.md"])
