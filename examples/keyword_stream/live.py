"""Spots keywords in a WAV file as if it were heard: frame by frame, with times, by any executor or a board.

    python examples/keyword_stream/live.py FILE.wav                              # numpy
    python examples/keyword_stream/live.py FILE.wav --on cortex-m4               # C on an emulated core
    python examples/keyword_stream/live.py FILE.wav --emulate netduinoplus2      # a board's firmware in QEMU
    python examples/keyword_stream/live.py FILE.wav --port /dev/ttyACM0          # a board that was flashed

Each 20 ms of sound become one feature frame here, one request over the protocol, one step there. Every
executor prints the same, as every answer is compared with numpy's (exit code 4 where one differs).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from detector import THRESHOLD, Detector
from sound import frames, read_wav, seconds

import edgeternary
from edgeternary.errors import NOT_BIT_EXACT, USAGE, EdgeTernaryError, script
from edgeternary.ir import Graph

HERE = Path(__file__).parent
Step = Callable[[np.ndarray], np.ndarray]
NO_WORDS = ("silence", "unknown")


@contextmanager
def executor(graph: Graph, on: str) -> Iterator[Step]:
    """Steps on numpy, host, cortex-m*, hdl or cxxrtl."""
    from edgeternary.run import open_session

    with open_session(graph, on) as session:
        yield session.step


@contextmanager
def device(graph: Graph, port: str, digest: str, baud: int, patience: float) -> Iterator[Step]:
    """Steps on the board at a port, which must have been built of this model."""
    from edgeternary.link.client import Client
    from edgeternary.link.codec import answer_bytes, check_model, decode_answer, encode_input

    with Client.open(port, baud, patience) as client:
        hello = client.hello()
        check_model(hello, graph, port, digest)
        client.reset()

        def step(frame: np.ndarray) -> np.ndarray:
            reply = client.run(encode_input(hello, frame), answer_bytes(hello), again=False)
            return decode_answer(hello, reply)[0]

        yield step


@contextmanager
def emulated(graph: Graph, board: str) -> Iterator[Step]:
    """Builds the firmware of a board and steps through it in the board's emulator."""
    from edgeternary.emulate import emulated as run_board
    from edgeternary.link.build import read_build

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "build"
        edgeternary.compile(graph, board=board, build=True, directory=place)
        build = read_build(place)
        uart = build.board.uart
        with (
            run_board(build) as running,
            device(
                graph, running.port, build.digest, uart.baud if uart else 115_200, running.patience
            ) as step,
        ):
            yield step


def check(graph: Graph) -> None:
    """The model must step over feature frames."""
    if not graph.states or graph.input.shape != (10,):
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot listen",
            f"it has {len(graph.states)} states and its input is {graph.input.shape}, a frame is (10,)",
            "give a model of one frame a step, such as keyword-stream.et",
        )


def listen(graph: Graph, sound: np.ndarray, step: Step, threshold: int, out: Callable[[dict], None]) -> int:
    """Calls out for each detection; returns the number of frames. Every answer is compared with numpy's."""
    labels = graph.meta.labels
    words = sum(label not in NO_WORDS for label in labels)
    detector, heard = Detector(words, threshold), frames(sound)
    expected = edgeternary.run.run(graph, heard[None]).outputs[0]
    for number, frame in enumerate(heard):
        logits = step(frame)
        if not np.array_equal(logits, expected[number]):
            raise EdgeTernaryError(
                f"frame {number} is answered wrongly",
                f"{np.ravel(logits).tolist()} in place of {expected[number].tolist()}",
                "report this as a bug",
                NOT_BIT_EXACT,
            )
        if hit := detector.push(logits):
            out({"seconds": round(seconds(number), 2), "word": labels[hit[0]], "margin": hit[1]})
    return len(heard)


@contextmanager
def place(graph: Graph, on: str, port: str | None, board: str | None, baud: int) -> Iterator[Step]:
    """The one place that the options name."""
    if port and board:
        raise EdgeTernaryError("name one place", "--port and --emulate exclude each other", code=USAGE)
    if port:
        with device(graph, port, "", baud, 2.0) as step:
            yield step
    elif board:
        with emulated(graph, board) as step:
            yield step
    else:
        with executor(graph, on) as step:
            yield step


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="mono 16-bit WAV at 16 or 8 kHz")
    parser.add_argument("--model", type=Path, default=HERE / "keyword-stream.et")
    parser.add_argument("--on", default="numpy", help="numpy, host, cortex-m4 or another core, hdl, cxxrtl")
    parser.add_argument("--port", help="serial port of a board with this model's firmware")
    parser.add_argument("--baud", type=int, default=115_200)
    parser.add_argument("--emulate", metavar="BOARD", help="build for this board and run it in its emulator")
    parser.add_argument("--threshold", type=int, default=THRESHOLD, help="mean margin of a detection")
    parser.add_argument("--json", action="store_true", help="print one JSON object a detection")
    args = parser.parse_args()
    graph = edgeternary.load(args.model)
    check(graph)
    sound = read_wav(args.file)

    def out(hit: dict) -> None:
        text = json.dumps(hit) if args.json else f"{hit['seconds']:7.2f} s  {hit['word']}  ({hit['margin']})"
        print(text, flush=True)

    with place(graph, args.on, args.port, args.emulate, args.baud) as step:
        count = listen(graph, sound, step, args.threshold, out)
    where = args.port or args.emulate or args.on
    print(f"{where}: {count:,} frames, every answer is numpy's", file=sys.stderr)
    return 0


if __name__ == "__main__":
    script(main)
