"""What the spotter is worth: on windows and streams of unheard synthetic voices, and on a human's recordings.

    python examples/keyword_stream/evaluate.py --svg confusion.svg > evaluation.json

windows   the integer graph's class of each test clip, LATE frames after its word, with the confusion matrix
exact     the step against the unrolled window network, every logit, at every frame of every test clip
streams   test clips one after the other: words that the detector finds, misses, takes for others, makes up
human     detections in single recordings, and in all keywords one after the other
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import human
import keypad
import numpy as np
from detector import THRESHOLD, detections
from keypad import FRAMES, LABELS, SILENCE, WORDS, Clips
from network import LATE, unrolled
from sound import frames, seconds

import edgeternary
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError, script
from edgeternary.ir import Graph

HERE = Path(__file__).parent
SOON = 45  # frames after the end of its word within which a detection counts
PARALLEL = 10  # streams


def answers(graph: Graph, x: np.ndarray) -> np.ndarray:
    """Logits (n, frames, classes) of the step graph on clips (n, frames, 10), from a reset on."""
    return np.concatenate([edgeternary.run.run(graph, x[i : i + 100]).outputs for i in range(0, len(x), 100)])


def differing(window: Graph, x: np.ndarray, logits: np.ndarray, every: int) -> tuple[int, int]:
    """(windows compared, windows whose logits differ): the unrolled network on each window of each clip."""
    size = window.input.shape[1]
    seen = np.concatenate((np.zeros((len(x), size - 1, x.shape[2]), x.dtype), x), axis=1)
    count = wrong = 0
    for frame in range(every - 1, x.shape[1], every):
        found = edgeternary.run.run(window, seen[:, None, frame : frame + size]).outputs
        wrong += int((found != logits[:, frame]).any(axis=1).sum())
        count += len(x)
    return count, wrong


def classes_of(clips: Clips, logits: np.ndarray, size: int) -> np.ndarray:
    """The class of each clip, LATE frames after its word."""
    ends = np.clip(clips.span[:, 1].astype(int) + LATE, size - 1, FRAMES - 1)
    return logits[np.arange(len(ends)), ends].argmax(axis=1)


def streamed(graph: Graph, clips: Clips, threshold: int) -> dict[str, Any]:
    """Clips in a row, in PARALLEL streams; a word's detections lie from its begin to SOON after it."""
    rows = len(clips.y) // PARALLEL
    clips = Clips(*(part[: rows * PARALLEL] for part in (clips.x, clips.y, clips.span)))
    logits = answers(graph, clips.x.reshape(PARALLEL, -1, clips.x.shape[2]))
    hits = [
        (stream * rows * FRAMES + frame, word)
        for stream, found in enumerate(logits)
        for frame, word, _ in detections(found, len(WORDS), threshold)
    ]
    right = wrong = missed = made_up = 0
    for number, (label, span) in enumerate(zip(clips.y, clips.span, strict=True)):
        first, last = number * FRAMES + int(span[0]), number * FRAMES + int(span[1]) + SOON
        if label >= SILENCE:
            first, last = number * FRAMES, number * FRAMES + FRAMES - 1
        inside = [word for frame, word in hits if first <= frame <= last]
        if label >= SILENCE:
            made_up += len(inside)
            continue
        right += label in inside
        wrong += any(word != label for word in inside)
        missed += not inside
    keywords = int((clips.y < SILENCE).sum())
    return {
        "threshold": threshold,
        "minutes": round(seconds(logits[..., 0].size) / 60, 1),
        "keywords": keywords,
        "found": right,
        "missed": missed,
        "taken_for_others": wrong,
        "others": len(clips.y) - keywords,
        "made_up": made_up,
    }


def heard(graph: Graph, sounds: list[np.ndarray], threshold: int) -> list[list[str]]:
    """Words that the detector finds in each sound, in order."""
    series = [frames(sound) for sound in sounds]
    x = np.zeros((len(series), max(map(len, series)), series[0].shape[1]), np.uint8)
    for row, part in zip(x, series, strict=True):
        row[: len(part)] = part
    logits = answers(graph, x)
    hits = [detections(out[: len(s)], len(WORDS), threshold) for out, s in zip(logits, series, strict=True)]
    return [[WORDS[word] for _, word, _ in row] for row in hits]


def humans(graph: Graph, threshold: int) -> dict[str, Any]:
    """Detections in each recording, and in the keywords one after the other."""
    words = [human.recording(name) for name in human.KEYWORDS.values()]
    found = dict(zip(human.KEYWORDS, heard(graph, words, threshold), strict=True))
    spoken = [human.recording(name) for name in human.OTHERS]
    others = dict(zip(human.OTHERS, heard(graph, spoken, threshold), strict=True))
    return {
        "keywords": len(found),
        "found": sum(words == [word] for word, words in found.items()),
        "detections": found,
        "others": len(others),
        "taken_for_keywords": {name: words for name, words in others.items() if words},
        "in_a_row": heard(graph, [np.concatenate(words)], threshold)[0],
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=HERE / "keyword-stream.et")
    parser.add_argument("--part", choices=list(keypad.EACH), default="test", help="of the synthetic clips")
    parser.add_argument("--samples", type=int, help="number of clips: the first ones")
    parser.add_argument("--every", type=int, default=1, help="compare with the window at each such frame")
    parser.add_argument("--threshold", type=int, default=THRESHOLD, help="mean margin of a detection")
    parser.add_argument("--no-human", action="store_true", help="without the recordings")
    parser.add_argument("--svg", type=Path, help="draw the confusion matrix")
    args = parser.parse_args()
    graph, window = edgeternary.load(args.model), unrolled(args.model.with_suffix(".safetensors"))
    clips = keypad.load(args.part, args.samples)
    logits = answers(graph, clips.x)
    compared, wrong = differing(window, clips.x, logits, args.every)
    counts = np.zeros((len(LABELS), len(LABELS)), int)
    np.add.at(counts, (clips.y, classes_of(clips, logits, window.input.shape[1])), 1)
    found = {
        "model": graph.name,
        "windows": {"part": args.part, "samples": len(clips.y), "right": int(counts.trace())},
        "exact": {"windows": compared, "mismatches": wrong},
        "streams": streamed(graph, clips, args.threshold),
        "confusion": {label: row.tolist() for label, row in zip(LABELS, counts, strict=True)},
    }
    if len(clips.y) >= 1000:
        found["windows"]["accuracy"] = round(counts.trace() / len(clips.y), 4)
    if not args.no_human:
        found["human"] = humans(graph, args.threshold)
    print(json.dumps(found, indent=1))
    if args.svg:
        from edgeternary.train.plots import confusion_matrix

        title = f"{graph.name}: {counts.trace():,} of {len(clips.y):,} clips of unheard synthetic voices"
        args.svg.write_text(confusion_matrix(title, counts, LABELS), encoding="utf-8")
        print(f"confusion matrix drawn to {args.svg}", file=sys.stderr)
    if wrong:
        why = f"the step and the unrolled network differ on {wrong} of {compared} windows"
        raise EdgeTernaryError(f"{graph.name} is not exact", why, "report this as a bug", NOT_BIT_EXACT)
    return 0


if __name__ == "__main__":
    script(main)
