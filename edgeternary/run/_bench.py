"""The bench around a generated model: its sources, and the bytes that go in and come out of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeternary.data import firmware_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Value
from edgeternary.ir.ports import joined_shape
from edgeternary.ir.wire import element_bytes, from_bytes, to_bytes
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from edgeternary.toolchains.process import run as start

if TYPE_CHECKING:
    from edgeternary.c.plan import Tap


@dataclass(frozen=True)
class Port:
    """A variable of the bench that an input or an output lies in; its C type and number of elements."""

    name: str
    ctype: str
    size: str
    output: bool


def ports_of(graph: Graph) -> tuple[Port, ...]:
    """The variables of several inputs and outputs: bench_input_0, ..., bench_output_0, ..."""
    if not graph.several:
        return ()
    values = [(x, "input", i) for i, x in enumerate(graph.inputs)]
    values += [(y, "output", i) for i, y in enumerate(graph.output_values)]
    return tuple(Port(f"bench_{r}_{i}", v.type.ctype, str(v.size), r == "output") for v, r, i in values)


@dataclass(frozen=True)
class BenchModel:
    """C of one model, ready to be built into a bench.

    prefix   the identifier that its API starts with: <prefix>_run, <prefix>.h
    sources  {file name: text}
    taps     the values of edgeternary_tap, by index
    steps    (layer, kernel) of the functions <prefix>_<index>_<layer>, by index
    several  the variables of several inputs and outputs
    """

    prefix: str
    sources: Mapping[str, str]
    taps: tuple[Tap, ...] = ()
    steps: tuple[tuple[str, str], ...] = ()
    several: tuple[Port, ...] = ()

    @property
    def ports(self) -> tuple[Port, ...]:
        """The variables of all inputs, then of all outputs."""
        p, upper = self.prefix, self.prefix.upper()
        return self.several or (
            Port("bench_input", f"{p}_in_t", f"{upper}_INPUT_SIZE", False),
            Port("bench_output", f"{p}_out_t", f"{upper}_OUTPUT_SIZE", True),
        )

    def adapter(self) -> str:
        """bench_model.h: gives the model's names, and variables for its inputs and outputs, to the bench."""
        p, ports = self.prefix, self.ports
        calls = {
            use: " && ".join(f"bench_{use}({v.name}, sizeof {v.name})" for v in ports if v.output == output)
            for use, output in (("read", False), ("write", True))
        }
        defines = {
            "MODEL": f"{p}_t",
            "RESET": f"{p}_reset",
            "RUN": f"{p}_run",
            "VARIABLES": " ".join(f"{v.ctype} {v.name}[{v.size}];" for v in ports),
            "READ": calls["read"],
            "WRITE": calls["write"],
            "ARGUMENTS": ", ".join(v.name for v in ports),
        }
        lines = [f"#define BENCH_{name} {text}\n" for name, text in defines.items()]
        return f'#include "../model/{p}.h"\n\n{"".join(lines)}'

    def bench_sources(self, files: Sequence[str]) -> dict[str, str]:
        """The bench and the named files of firmware/ in bench/, the model in model/."""
        sources = {f"model/{name}": text for name, text in self.sources.items()}
        sources["bench/bench_model.h"] = self.adapter()
        if self.taps:
            sizes = ", ".join(f"{tap.bytes}u" for tap in self.taps)
            table = f"bench_tap_bytes[{len(self.taps)}] = {{ {sizes} }}"
            sources["bench/bench_taps.h"] = f"static const unsigned {table};\n"
        for name in ("core/bench.c", "core/bench.h", *files):
            sources[f"bench/{Path(name).name}"] = (firmware_dir() / name).read_text(encoding="utf-8")
        return sources


def empty_model() -> BenchModel:
    """The bench without a model; its size is taken off that of an image with one."""
    names = ("empty_model.c", "empty_model.h")
    sources = {name: (firmware_dir() / "core" / name).read_text(encoding="utf-8") for name in names}
    return BenchModel("empty", {**sources, "empty.h": '#include "empty_model.h"\n'})


def encode_inputs(graph: Graph, inputs: np.ndarray) -> bytes:
    """The bench's input: number of samples and steps as uint32, then the elements in their C type."""
    samples, steps = inputs.shape[:2] if graph.states else (len(inputs), 1)
    header = np.array([samples, steps], dtype="<u4").tobytes()
    return header + input_bytes(graph, inputs)


def input_bytes(graph: Graph, inputs: np.ndarray) -> bytes:
    """Codes (*lead, *shape), of several inputs in their joined form, as the bytes of each sample or step."""
    return to_bytes(graph.inputs, inputs).tobytes()


def elements(value: Value, array: np.ndarray) -> bytes:
    """Elements of `value` in their C type, little-endian, row-major."""
    return np.ascontiguousarray(array).astype(value.type.dtype.newbyteorder("<")).tobytes()


def decode_outputs(graph: Graph, data: bytes, lead: tuple[int, ...]) -> np.ndarray:
    """Outputs int32 (*lead, *shape), several in their joined form, from the C elements of each step."""
    values = graph.output_values
    count, size = int(np.prod(lead, dtype=np.int64)), sum(map(element_bytes, values))
    if len(data) != count * size:
        raise EdgeTernaryError(
            "the model's answer is incomplete", f"{count * size} bytes were expected, {len(data)} came back"
        )
    return from_bytes(values, np.frombuffer(data, np.uint8).reshape(*lead, size))


def decode_taps(taps: Sequence[Tap], data: bytes, lead: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Tapped values int32 (*lead, *shape) from the concatenated taps of all samples and steps."""
    stride = sum(tap.bytes for tap in taps)
    count = int(np.prod(lead, dtype=np.int64))
    if len(data) != stride * count:
        raise EdgeTernaryError(
            "the model's taps are incomplete", f"{stride * count} bytes were expected, {len(data)} came back"
        )
    decoded: dict[str, np.ndarray] = {}
    first = 0
    for tap in taps:
        rows = [
            tap.decode(data[at : at + tap.bytes]) for at in range(first, first + stride * count, stride or 1)
        ]
        shape = (*lead, *tap.value.shape)
        decoded[tap.value.name] = (
            np.stack(rows).reshape(shape) if rows else np.zeros(shape, np.int32)
        ).astype(np.int32)
        first += tap.bytes
    return decoded


def exchange(
    graph: Graph,
    inputs: np.ndarray,
    model: BenchModel,
    command: Sequence[str | Path],
    *,
    what: str,
    options: Options,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Run a bench that reads inputs.bin and writes outputs.bin and taps.bin: (outputs, taps)."""
    output, tapped = exchange_bytes(graph, inputs, command, what=what, timeout=options.timeout)
    options.progress(len(inputs), len(inputs))
    lead = lead_shape(graph, inputs)
    return decode_outputs(graph, output, lead), decode_taps(model.taps, tapped, lead)


def exchange_bytes(
    graph: Graph, inputs: np.ndarray, command: Sequence[str | Path], *, what: str, timeout: float
) -> tuple[bytes, bytes]:
    """The same: the contents of outputs.bin and of taps.bin."""
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as name:
        folder = Path(name)
        (folder / "inputs.bin").write_bytes(encode_inputs(graph, inputs))
        start(command, what=what, cwd=folder, timeout=timeout)
        return (folder / "outputs.bin").read_bytes(), (folder / "taps.bin").read_bytes()


def lead_shape(graph: Graph, inputs: np.ndarray) -> tuple[int, ...]:
    """(samples,) or, with states, (samples, steps)."""
    return tuple(inputs.shape[: 2 if graph.states else 1])


def empty_result(graph: Graph, inputs: np.ndarray) -> Result:
    """The answer to no samples."""
    return Result(
        outputs=np.zeros((*lead_shape(graph, inputs), *joined_shape(graph.output_values)), np.int32)
    )
