"""The bench around a generated model: its sources, and the bytes that go in and come out of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeternary.c.naming import api_names
from edgeternary.data import firmware_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Value
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from edgeternary.toolchains.process import run as start

if TYPE_CHECKING:
    from edgeternary.c.plan import Tap


@dataclass(frozen=True)
class BenchModel:
    """C of one model, ready to be built into a bench.

    prefix   the identifier that its API starts with: <prefix>_run, <prefix>.h
    sources  {file name: text}
    taps     the values of edgeternary_tap, by index
    steps    (layer, kernel) of the functions <prefix>_<index>_<layer>, by index
    """

    prefix: str
    sources: Mapping[str, str]
    taps: tuple[Tap, ...] = ()
    steps: tuple[tuple[str, str], ...] = ()

    def adapter(self) -> str:
        """bench_model.h: gives the model's names to the bench."""
        p = self.prefix
        defines = [f"#define BENCH_{name} {text}\n" for name, text in api_names(p).items()]
        return f'#include "../model/{p}.h"\n\n{"".join(defines)}'

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
    return header + elements(graph.input, inputs)


def elements(value: Value, array: np.ndarray) -> bytes:
    """Elements of `value` in their C type, little-endian, row-major."""
    return np.ascontiguousarray(array).astype(value.type.dtype.newbyteorder("<")).tobytes()


def decode_outputs(graph: Graph, data: bytes, lead: tuple[int, ...]) -> np.ndarray:
    """Outputs int32 (*lead, *shape) from their C elements."""
    value = graph.output_value
    flat = np.frombuffer(data, value.type.dtype.newbyteorder("<"))
    expected = int(np.prod(lead, dtype=np.int64)) * value.size
    if flat.size != expected:
        raise EdgeTernaryError(
            "the model's answer is incomplete", f"{expected} elements were expected, {flat.size} came back"
        )
    return flat.reshape(*lead, *value.shape).astype(np.int32)


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
    return Result(outputs=np.zeros((*lead_shape(graph, inputs), *graph.output_value.shape), np.int32))
