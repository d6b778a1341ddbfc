"""Spots keywords in a WAV file as if it were heard: frame by frame, with times, by any executor or a board.

    python live.py FILE.wav                              # numpy
    python live.py FILE.wav --on cortex-m4               # C on an emulated core
    python live.py FILE.wav --emulate netduinoplus2      # a board's firmware in QEMU
    python live.py --write step.et                       # for edgeternary compile step.et --board BOARD
    python live.py FILE.wav --port /dev/ttyACM0          # a board that was flashed with it

The 320 new samples of a frame of 20 ms are one request over the protocol and one step there, front end and
network. Every executor prints the same, as every answer is compared with numpy's (exit code 4 where one
differs).
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
from numpy.typing import NDArray

import edgeternary
from edgeternary.errors import NOT_BIT_EXACT, USAGE, EdgeTernaryError, script
from edgeternary.features import Sound, sound_of, with_samples
from edgeternary.ir import Graph
from edgeternary.passes.stream import stream
from edgeternary.train.data.problems import Problems
from edgeternary.train.data.wav import Clips

HERE = Path(__file__).parent
Step = Callable[[np.ndarray], np.ndarray]
NO_WORDS = ("_silence_", "_unknown_")


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


def step_of(path: Path) -> tuple[Graph, Sound]:
    """The front end and the step of a window network: (hop,) samples to logits, and the front end."""
    window = edgeternary.load(path)
    sound = sound_of(window)
    if sound is None or window.states or window.meta.labels[: len(NO_WORDS)] != NO_WORDS:
        raise EdgeTernaryError(
            f"model {window.name!r} cannot listen",
            f"its metadata name no front end, it has states, or its classes do not begin with {NO_WORDS}",
            "give a network of stream.toml, such as keywords-stream.et",
        )
    return with_samples(stream(window), sound), sound


def read_wav(path: Path, rate: int) -> NDArray[np.int16]:
    """Samples of a WAV file at `rate`; other rates, channels and widths are converted."""
    problems = Problems(False)
    sound = Clips(rate, 0, True, True).sound(path, problems)
    if sound is None:
        _, _, why, remedy = problems.found[0]
        raise EdgeTernaryError(f"{path} cannot be heard", why, remedy or "give a WAV file of integers")
    return sound


def listen(
    graph: Graph,
    samples: NDArray[np.int16],
    rate: int,
    step: Step,
    threshold: int,
    out: Callable[[dict], None],
) -> int:
    """Calls out for each detection; returns the number of frames. Every answer is compared with numpy's."""
    (hop,), labels = graph.input.shape, graph.meta.labels
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    if not len(frames):
        why = f"it has {len(samples)} samples, a frame has {hop}"
        raise EdgeTernaryError("the sound is too short", why, "give a longer file")
    detector = Detector(len(NO_WORDS), threshold)
    expected = edgeternary.run.run(graph, frames[None]).outputs[0]
    for number, frame in enumerate(frames):
        logits = step(frame)
        if not np.array_equal(logits, expected[number]):
            raise EdgeTernaryError(
                f"frame {number} is answered wrongly",
                f"{np.ravel(logits).tolist()} in place of {expected[number].tolist()}",
                "report this as a bug",
                NOT_BIT_EXACT,
            )
        if hit := detector.push(logits):
            end = (number + 1) * hop / rate
            out({"seconds": round(end, 2), "word": labels[hit[0]], "margin": hit[1]})
    return len(frames)


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
    parser.add_argument("file", type=Path, nargs="?", help="a WAV file")
    parser.add_argument("--model", type=Path, default=HERE / "keywords-stream.et", help="a window network")
    parser.add_argument("--write", type=Path, metavar="FILE.et", help="write the step, from samples")
    parser.add_argument("--on", default="numpy", help="numpy, host, cortex-m4 or another core, hdl, cxxrtl")
    parser.add_argument("--port", help="serial port of a board with this model's firmware")
    parser.add_argument("--baud", type=int, default=115_200)
    parser.add_argument("--emulate", metavar="BOARD", help="build for this board and run it in its emulator")
    parser.add_argument("--threshold", type=int, default=THRESHOLD, help="mean margin of a detection")
    parser.add_argument("--json", action="store_true", help="print one JSON object a detection")
    args = parser.parse_args()
    graph, sound = step_of(args.model)
    if args.write:
        edgeternary.save(graph, args.write)
    if args.file is None:
        if not args.write:
            parser.error("name a WAV file, or --write")
        return 0
    samples = read_wav(args.file, sound.rate)

    def out(hit: dict) -> None:
        text = json.dumps(hit) if args.json else f"{hit['seconds']:7.2f} s  {hit['word']}  ({hit['margin']})"
        print(text, flush=True)

    with place(graph, args.on, args.port, args.emulate, args.baud) as step:
        count = listen(graph, samples, sound.rate, step, args.threshold, out)
    where = args.port or args.emulate or args.on
    print(f"{where}: {count:,} frames, every answer is numpy's", file=sys.stderr)
    return 0


if __name__ == "__main__":
    script(main)
