"""What the compiled simulators share: frames to files, a C++ driver from a template, answers back."""

import math
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.frames import words_of
from edgeternary.hdl.ports import Port
from edgeternary.hdl.simulation.stuck import no_answer, short_load, wrong_weights
from edgeternary.hdl.top import Design
from edgeternary.ir.names import identifier
from edgeternary.run._bench import empty_result
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from edgeternary.templating import render
from edgeternary.toolchains import Child


def driver(design: Design, template: str, waves: str = "") -> str:
    """C++ text of `templates/hdl/<template>` for a design; `waves`: suffix of the wave file, "" for none."""
    fields = {
        "top": "p_" + identifier(design.graph.name).replace("_", "__"),
        "ins": [_port(design, port) for port in design.ins],
        "outs": [_port(design, port) for port in design.outs],
        "patience": design.limit(0),
        "load_patience": design.load_limit,
        "waves": waves,
        "weights": bool(design.weights),
        "scope": identifier(design.graph.name),
    }
    return render(f"hdl/{template}", fields)


def _port(design: Design, port: Port) -> dict[str, object]:
    """A stream for the drivers; signal, mangled: the start of its names in CXXRTL and in Verilator."""
    bits = width(design, port)
    return {
        "signal": f"p_{port.name.replace('_', '__')}", "mangled": port.name.replace("__", "_05F_"),
        "words": words_of(bits), "bytes": _port_bytes(bits), "beats": port.beats,
    }  # fmt: skip


def width(design: Design, port: Port) -> int:
    """Bits of a beat, on the first stream in with the one that says where a sample starts."""
    return len(getattr(design.top, port.name).payload)


def _port_bytes(bits: int) -> int:
    """Bytes of a port in Verilator's model: 1, 2, 4, 8, then words of 4."""
    return next((size for size in (1, 2, 4, 8) if bits <= 8 * size), 4 * words_of(bits))


def execute(program: Path, design: Design, inputs: np.ndarray, options: Options) -> Result:
    """Run all frames back to back through a driver's program; outputs, cycles and latency."""
    if inputs.size == 0:
        return empty_result(design.graph, inputs)
    lead = design.lead(inputs)
    count = math.prod(lead)
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as name:
        folder = Path(name)
        for k, stimulus in enumerate(design.stimuli(inputs.astype(np.int32))):
            stimulus.tofile(folder / f"in{k}")
        (folder / "weights").write_bytes(design.weights)
        waves = [str(Path(options.waves).absolute())] if options.waves else []
        said = _watch([str(program), "in", str(count), "out", "times", *waves], folder, count, options)
        words = [
            np.fromfile(folder / f"out{k}", "<u4").reshape(-1, words_of(width(design, port)))
            for k, port in enumerate(design.outs)
        ]
        times = np.fromfile(folder / "times", "<u8").astype(int).tolist()
    if len(times) != count:
        raise EdgeTernaryError(
            f"the hardware of model {design.graph.name!r} stopped after {len(times)} of {count} frames",
            _why(design, said),
            "report this as a bug",
        )
    options.progress(count, count)
    return Result(design.gathered(words, lead), stats=timing(times))


def timing(times: list[int]) -> dict[str, int | float | str | None]:
    """cycles and latency from the cycle, counted from the first beat in, of each frame's last beat out.

    cycles: from one frame's last beat to the next one's (of a single frame: its latency); mean_cycles: the
    mean of that over all frames.
    """
    if len(times) == 1:
        return {"cycles": times[0] + 1, "latency": times[0] + 1}
    mean = (times[-1] - times[0]) / (len(times) - 1)
    return {"cycles": times[-1] - times[-2], "mean_cycles": mean, "latency": times[0] + 1}


def _why(design: Design, said: str) -> str:
    """The part that hangs, from what the bench printed at its end."""
    word, *numbers = said.split()
    found = [int(number) for number in numbers]
    if word == "refused":
        return wrong_weights(design)
    if word == "loading":
        return short_load(found[0], len(design.weights))
    return no_answer(design.limit(0), (found[0], found[1]), (found[2], found[3]))


def _watch(command: list[str], folder: Path, count: int, options: Options) -> str:
    """Run the simulator; it prints how many frames are done, and if it is stuck (exit code 3) what hangs."""
    late = threading.Event()
    said = ""

    def stop() -> None:
        late.set()
        process.kill()

    with Child(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        timer = threading.Timer(options.timeout, stop)
        timer.start()
        try:
            assert process.stdout
            for line in process.stdout:
                if line.strip().isdigit():
                    options.progress(int(line), count)
                elif line.startswith(("frames ", "loading ", "refused ")):
                    said = line
            code = process.wait()
        finally:
            timer.cancel()
    if late.is_set():
        raise EdgeTernaryError(
            "the simulation did not finish",
            f"it ran longer than {options.timeout:g} s",
            "use fewer samples, or raise the option timeout",
        )
    if code not in (0, 3):
        raise EdgeTernaryError(
            "the simulator ended early", f"its exit code is {code}", "report this as a bug"
        )
    return said
