"""A network of stream.toml as a stream of samples: what it detects, what it costs, and that it is exact.

    python listen.py out/keywords-stream.et --fold 0

The stream holds the clips of the fold that tests, whose speakers the network never heard, in random order
with pauses of recorded noise in between. Constants of the detector were chosen on the validation speakers
(--part validation). A detection counts for a clip until LATE samples after its end.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from detector import SMOOTH, THRESHOLD, detections
from numpy.typing import NDArray

import edgeternary
from edgeternary.errors import NOT_BIT_EXACT, USAGE, EdgeTernaryError, script
from edgeternary.features import Sound, codes, sound_of, with_samples
from edgeternary.ir import Graph
from edgeternary.passes.stream import stream
from edgeternary.train.data.divided import Grouping, divide
from edgeternary.train.data.folders import by_class
from edgeternary.train.data.folds import Folds
from edgeternary.train.data.problems import Problems
from edgeternary.train.data.wav import Clips

VARIABLE, SPEAKER = "EDGETERNARY_SOUNDS", "_nohash_"
PARTS, FOLDS = ("train", "validation", "test"), 5
OTHERS = 2  # classes that are no keyword, silence and unknown, the first ones
RATE, CLIP, PAUSE, LATE = 16_000, 16_000, 9_600, 8_000  # samples a second; of a clip, ...
STREAMS = 10  # at once
QUIET = 8  # recorded noise is divided by this in a pause

Samples = NDArray[np.int16]


def part_of(part: str, fold: int, sound: Sound) -> tuple[Samples, NDArray[np.int64], tuple[str, ...]]:
    """(clips (n, samples), classes (n,), labels) of a part of a fold, as the recipe divides them."""
    found = by_class(None, (".wav",), None, VARIABLE)
    every = np.arange(len(found.files))
    places, _ = divide(found, every, found.classes, Grouping("speaker", SPEAKER), Folds(FOLDS, fold, 0.1, 0))
    own, problems = places[PARTS.index(part)], Problems(False)
    reader = Clips(sound.rate, sound.samples, True, False)
    read = [reader.read(found.files[i][0], problems) for i in own]
    problems.settle(len(own))
    return np.stack([clip for clip in read if clip is not None]), found.classes[own], found.labels


def streams(clips: Samples, y: NDArray[np.int64], seed: int) -> tuple[Samples, NDArray[np.int64]]:
    """(samples (STREAMS, n), index of the clip in each place (STREAMS, places)); some clips are left over."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(clips))[: len(clips) // STREAMS * STREAMS].reshape(STREAMS, -1)
    noises = clips[y == 0]
    rows = []
    for row in order:
        pieces = []
        for i in row:
            noise = noises[rng.integers(len(noises))][:PAUSE] // QUIET
            pieces += [noise, clips[i]]
        rows.append(np.concatenate(pieces))
    return np.stack(rows), order


def logits_of(graph: Graph, sound: Samples, hop: int) -> NDArray[np.int32]:
    """(streams, frames, classes), a frame of `hop` samples a step."""
    steps = sound.shape[1] // hop
    x = sound[:, : steps * hop].reshape(len(sound), steps, hop)
    return np.asarray(edgeternary.run.run(graph, x).outputs)


def counted(
    logits: NDArray[np.int32], order: NDArray[np.int64], y: NDArray[np.int64], hop: int, threshold: int,
    smooth: int,
) -> dict[str, Any]:  # fmt: skip
    """Keywords found, missed, taken for others; detections where no keyword is."""
    right = wrong = missed = made_up = 0
    for row, places in zip(logits, order, strict=True):
        hits = detections(row, OTHERS, threshold, smooth)
        for number, i in enumerate(places):
            start = number * (PAUSE + CLIP) + PAUSE
            begin, end = start // hop, (start + CLIP + LATE) // hop
            inside = [word for frame, word, _ in hits if begin <= frame < end]
            if y[i] < OTHERS:
                made_up += len(inside)
                continue
            right += int(y[i]) in inside
            wrong += any(word != y[i] for word in inside)
            missed += not inside
    hours = logits.shape[0] * logits.shape[1] * hop / RATE / 3600
    keywords = int((y[order] >= OTHERS).sum())
    return {
        "minutes": round(60 * hours, 1), "keywords": keywords, "found": right, "missed": missed,
        "taken_for_others": wrong, "others": int(order.size - keywords), "made_up": made_up,
        "false_per_hour": round((made_up + wrong) / hours, 1), "threshold": threshold, "smooth": smooth,
    }  # fmt: skip


def differing(window: Graph, step: NDArray[np.int32], sound: Samples, front: Sound) -> tuple[int, int]:
    """(windows compared, windows whose logits differ): the window network on windows of the streams."""
    frames, rng = window.input.shape[1], np.random.default_rng(0)
    ends = rng.integers(frames, step.shape[1], 200)
    rows = rng.integers(len(sound), size=len(ends))
    size = (frames - 1) * front.hop + front.window
    cut = np.stack([sound[r, (e + 1) * front.hop - size :][:size] for r, e in zip(rows, ends, strict=True)])
    made = codes(front, np.pad(cut, ((0, 0), (0, front.samples - size))))[:, :frames]
    x = made.transpose(0, 3, 1, 2)
    found = edgeternary.run.run(window, x).outputs
    return len(ends), int((found != step[rows, ends]).any(axis=1).sum())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--part", choices=PARTS, default="test")
    parser.add_argument(
        "--threshold", type=int, nargs="+", default=[THRESHOLD], help="mean margin of a detection"
    )
    parser.add_argument("--smooth", type=int, nargs="+", default=[SMOOTH], help="frames that are added")
    parser.add_argument("--core", default="cortex-m4", help="an emulated core; '' for none")
    args = parser.parse_args()
    window = edgeternary.load(args.model)
    front = sound_of(window)
    if front is None:
        raise EdgeTernaryError(f"{args.model} names no front end", "", "train it with stream.toml")
    data, fold = window.meta.info.get("data", ""), f"fold {args.fold} of {FOLDS} by speaker"
    if "fold" in data and fold not in data:
        why = f"it was trained on {data}, and may know these speakers"
        raise EdgeTernaryError(f"{window.name} is not of fold {args.fold}", why, "name its --fold", USAGE)
    network = stream(window)
    graph = with_samples(network, front)
    clips, y, _ = part_of(args.part, args.fold, front)
    sound, order = streams(clips, y, 0)
    logits = logits_of(graph, sound, front.hop)
    compared, wrong = differing(window, logits, sound, front)
    found: dict[str, Any] = {
        "model": window.name, "part": args.part, "fold": args.fold,
        "exact": {"windows": compared, "mismatches": wrong},
        "streams": [
            counted(logits, order, y, front.hop, threshold, smooth)
            for threshold in args.threshold for smooth in args.smooth
        ],
    }  # fmt: skip
    if args.core:
        found["frame"] = cost(graph, network, sound, front, args.core)
    print(json.dumps(found, indent=1))
    if wrong:
        why = f"the step and the window network differ on {wrong} of {compared} windows"
        raise EdgeTernaryError(f"{window.name} is not exact", why, "report this as a bug", NOT_BIT_EXACT)
    return 0


def cost(graph: Graph, network: Graph, sound: Samples, front: Sound, core: str) -> dict[str, Any]:
    """Cycles of a frame, from samples and of the network alone; EdgeTernaryError if the core differs."""
    x = sound[:1, : 60 * front.hop].reshape(1, -1, front.hop)
    found = edgeternary.run.run(graph, x, on=core)
    if not np.array_equal(found.outputs, edgeternary.run.run(graph, x).outputs):
        raise EdgeTernaryError(f"{core} differs from numpy", "", "report this as a bug", NOT_BIT_EXACT)
    words = ("cycles", "flash_bytes", "ram_bytes", "compiler", "timing")
    return {"core": core, **{word: found.stats.get(word) for word in words}}


if __name__ == "__main__":
    script(main)
