"""The sources of an image: firmware/ as it is, and the headers that name board, model and self test."""

import re
import zlib
from dataclasses import dataclass

import numpy as np

from edgeternary.boards import Board
from edgeternary.build import packed
from edgeternary.c.naming import api_names
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.data import firmware_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Value
from edgeternary.ir.names import identifier
from edgeternary.ir.wire import to_bytes, wire

NEEDED = {"UART_TX_PIN": "tx", "UART_RX_PIN": "rx", "UART_ENABLE": "enable"}  # where a port uses them
MODEL_BYTES = 47  # of a model's name in the header
COMMON = ("core/protocol.c", "core/memory.c", "ports/cortex_m/boot.c", "ports/cortex_m/cycles.c")
OWN = ("core/main.c", "core/header.c")  # compiled for each model


@dataclass(frozen=True)
class SelfTest:
    """Inputs that an image checks itself on, (count, *shape), and the CRC-32 of all their outputs."""

    inputs: np.ndarray
    crc: int


def reference(graph: Graph, inputs: np.ndarray, outputs: np.ndarray) -> SelfTest:
    """The self test whose answers are `outputs`, several in their joined form."""
    crc = zlib.crc32(to_bytes(graph.output_values, outputs).tobytes())
    return SelfTest(to_bytes(graph.inputs, inputs) if graph.several else inputs, crc)


def board_files(board: Board) -> dict[str, str]:
    """{name below firmware/: text} of the sources that a board's images share, with board.h."""
    kind = board.uart.kind if board.uart else ""
    drivers = sorted(path.stem for path in (firmware_dir() / "ports/uart").glob("*.c"))
    for key, name, known in (("port", board.port, ports()), ("uart.kind", kind, drivers)):
        if name not in known:
            raise EdgeTernaryError(
                f"no images for {board.title}",
                f"{key}: {name!r} is none of {', '.join(known)}",
                "see docs/boards.md",
            )
    names = [*COMMON, f"ports/uart/{kind}.c"]
    names += [f"ports/{board.port}/{c.name}" for c in (firmware_dir() / "ports" / board.port).glob("*.c")]
    files = {name: _text(name) for name in sorted(names)}
    files["board.h"] = _board_header(board)
    for word, key in NEEDED.items():
        if f" {word} " not in files["board.h"] and any(word in text for text in files.values()):
            raise EdgeTernaryError(
                f"no images for {board.title}", f"uart: {key} is missing", "see docs/boards.md"
            )
    return files


def model_files(plan: Plan, board: Board, digest_of: str, test: SelfTest | None) -> dict[str, str]:
    """{name: text} of what is the model's: its C with a call after each layer, main.c, header.c, image.h.

    digest_of  what built the image, the last line of hello
    """
    files = {name: _text(name) for name in OWN}
    files |= render_plan(plan, taps=True)
    files["image.h"] = _image_header(plan, board, digest_of, test)
    files["self_test.h"] = _self_test(plan, test)
    return files


def headers() -> dict[str, str]:
    """{name below firmware/: text} of the headers that may be included."""
    root = firmware_dir()
    found = [*root.glob("core/*.h"), *root.glob("core/system/*.h"), *root.glob("ports/*/*.h")]
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in sorted(found)}


def link_script() -> str:
    """The template of the linker script."""
    return _text("ports/cortex_m/board.ld.in")


def ports() -> list[str]:
    """The names of the chips that have a port."""
    return sorted(path.parent.name for path in (firmware_dir() / "ports").glob("*/chip.c"))


def hello(plan: Plan, board: Board) -> str:
    """The lines of hello above the digest."""
    graph = plan.graph
    x, y = wire(graph)
    bits = 8 * x.type.dtype.itemsize
    if bits > 16:
        raise EdgeTernaryError(
            f"{graph.name} cannot have a serial port",
            f"its input has type {x.type}, and the protocol takes up to 16 bits an element",
            "let the network begin with a narrower input; --core or --no-build writes C without an image",
        )
    sizes = f"{y.type.dtype.itemsize} {class_bytes(graph)}"
    return f"{graph.name}\n{x.type} {_shape(x)} {bits}\n{y.type} {_shape(y)} {sizes}\n{board.name}\n"


def class_bytes(graph: Graph) -> int:
    """Bytes of the index of the largest number, which follows those of the only output, a vector."""
    if graph.several:
        return 0
    output = graph.output_value
    if len(output.shape) != 1 or output.size < 2:
        return 0
    return 1 if output.size <= 256 else 2


def _board_header(board: Board) -> str:
    uart = board.uart
    assert uart
    defines = {
        "CLOCK_HZ": f"{board.clock_hz}u",
        "UART_BASE": f"{uart.base:#x}u",
        "UART_BAUD": f"{uart.baud}u",
        "UART_HZ": f"{uart.clock_hz or board.clock_hz}u",
        "UART_ALTERNATE": f"{uart.alternate}u",
    }
    for name, pin in (("TX", uart.tx), ("RX", uart.rx)):
        if pin:
            port, number = _pin(board, pin)
            defines |= {f"UART_{name}_PORT": f"{port}u", f"UART_{name}_PIN": f"{number}u"}
    if uart.enable:
        address, bit = uart.enable
        defines |= {"UART_ENABLE": f"{address:#x}u", "UART_ENABLE_BIT": f"{bit}u"}
    return "".join(f"#define {name} {text}\n" for name, text in defines.items())


def _pin(board: Board, pin: str) -> tuple[int, int]:
    """(port, number) of a pin: PA9 (0, 9), P1.2 (1, 2), GP0 (0, 0)."""
    match = re.fullmatch(r"P([A-K])(\d{1,2})|P(\d)\.(\d{1,2})|GP(\d{1,2})", pin)
    if not match:
        why = f"uart: {pin!r} is no pin"
        raise EdgeTernaryError(f"no images for {board.title}", why, "pins are called PA9, P0.24 or GP0")
    letter, stm32, port, nordic, plain = match.groups()
    if letter:
        return ord(letter) - ord("A"), int(stm32)
    return (int(port), int(nordic)) if port else (0, int(plain))


def _image_header(plan: Plan, board: Board, built_by: str, test: SelfTest | None) -> str:
    p, graph = identifier(plan.graph.name), plan.graph
    defines = {
        "BOARD": _quoted(board.name),
        "MODEL_NAME": _quoted(plan.graph.name, MODEL_BYTES),
        "HELLO_HEAD": _quoted(hello(plan, board)),
        "HELLO_TAIL": _quoted(f"\n{built_by}\n"),
        **(packed.api_names(graph) if graph.several else api_names(p)),
        "CLASS_BYTES": f"{class_bytes(graph)}u",
        "LAYERS": f"{len(plan.taps)}u",
        "SELF_TESTS": len(test.inputs) if test else 0,
        "SELF_TEST_CRC": f"{test.crc if test else 0:#x}u",
    }
    lines = [f"#define IMAGE_{name} {text}\n" for name, text in defines.items()]
    own = packed.function(graph) if graph.several else ""
    return f'#include "{p}.h"\n\n{own}{"".join(lines)}'


def _self_test(plan: Plan, test: SelfTest | None) -> str:
    if test is None:
        return "/* This image has no self test. */\n"
    codes = test.inputs.ravel().tolist()
    rows = [", ".join(map(str, codes[at : at + 20])) for at in range(0, len(codes), 20)]
    kind = "uint8_t" if plan.graph.several else f"{identifier(plan.graph.name)}_in_t"
    body = "".join(f"    {row},\n" for row in rows)
    return f"static const {kind} self_test_inputs[{len(codes)}] = {{\n{body}}};\n"


def _quoted(text: str, most: int | None = None) -> str:
    """A C string of the text in UTF-8, cut to `most` bytes between characters."""
    data = text.encode()
    if most is not None:
        data = data[:most].decode("utf-8", "ignore").encode()
    plain = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _-.,:")
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in data) + '"'


def _shape(value: Value) -> str:
    return "x".join(map(str, value.shape))


def _text(name: str) -> str:
    return (firmware_dir() / name).read_text(encoding="utf-8")
