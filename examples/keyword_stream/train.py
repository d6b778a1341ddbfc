"""Trains the spotter on synthetic keywords and writes <name>.et (one frame a step), its codes and its card.

    pip install "edgeternary[train,data]"; apt install espeak-ng
    python examples/keyword_stream/train.py

Training sees whole windows, cut out of the clips afresh in each epoch. The card's accuracy is the integer
graph's on voices that training never heard.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
from pathlib import Path

import keypad
import numpy as np
import torch
from keypad import SILENCE, UNKNOWN, Clips
from network import BANDS, LATE, make_model
from torch import Tensor

import edgeternary
from edgeternary import nn
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError, script
from edgeternary.ops.sizes import sizes
from edgeternary.train.data import voices
from edgeternary.train.evaluate import accuracy, settle_batch_norms

HERE = Path(__file__).parent
NAME = "keyword-stream"
PARTIAL = 0.15  # of the windows show less than half of a keyword; they count as unknown


def cut(clips: Clips, ends: Tensor, window: int, speed: Tensor | float = 1.0) -> Tensor:
    """Float (N, 10, window): the frames before `ends`, at `speed` times their pace."""
    back = torch.arange(window - 1, -1, -1)[None] * torch.as_tensor(speed).reshape(-1, 1)
    frames = (ends[:, None] - 1 - back.round().long()).clamp(0, keypad.FRAMES - 1)
    x = torch.from_numpy(clips.x)
    return x[torch.arange(len(x))[:, None], frames].float().transpose(1, 2)


def test_windows(clips: Clips, window: int) -> Tensor:
    """The window that ends LATE frames after each word, within the clip."""
    ends = torch.from_numpy(clips.span[:, 1].astype(int)) + 1 + LATE
    return cut(clips, ends.clamp(window, keypad.FRAMES), window)


def training_windows(clips: Clips, window: int) -> tuple[Tensor, Tensor]:
    """A random window of each clip, with its label: float (n, 10, window), int64 (n,).

    It holds the whole word; PARTIAL of them less than half of it, and then it is unknown. Pace, loudness and
    the level of each band vary.
    """
    first, last = (torch.from_numpy(clips.span[:, i].astype(int)) for i in range(2))
    y = torch.from_numpy(clips.y.astype(int))
    blank = y == SILENCE
    low = torch.where(blank, window, (last + 1).clamp(min=window))
    high = torch.where(blank, keypad.FRAMES, (first + window).clamp(max=keypad.FRAMES))
    ends = low + (torch.rand(len(y)) * (high - low + 1).clamp(min=1)).long()
    shown = (last - first) * torch.empty(len(y)).uniform_(0.1, 0.5)
    early, late = first + shown.long(), last + window - shown.long()
    other = torch.where(torch.rand(len(y)) < 0.5, early, late)
    partial = (torch.rand(len(y)) < PARTIAL) & (other >= window) & (other <= keypad.FRAMES) & ~blank
    ends, y = torch.where(partial, other, ends), torch.where(partial, UNKNOWN, y)
    x = cut(clips, ends, window, torch.empty(len(y)).uniform_(0.87, 1.12))
    x = x * torch.empty(len(y), 1, 1).uniform_(0.85, 1.15) + torch.empty(len(y), x.shape[1], 1).uniform_(
        -6, 6
    )
    return x.round().clamp(0, 255), y


def fit(model: nn.Streaming, clips: Clips, held: Clips, epochs: int, batch: int, lr: float) -> None:
    """Adam with a warm-up of 3 % and a cosine to zero; latent weights stay within [-1, 1]."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    per_epoch = max(1, len(clips.y) // batch)
    x_held, y_held = test_windows(held, model.window), torch.from_numpy(held.y.astype(int))
    for epoch in range(epochs):
        start, right, total = time.perf_counter(), 0, 0.0
        x, y = training_windows(clips, model.window)
        model.train()
        for step, chunk in enumerate(torch.randperm(len(y)).split(batch)[:per_epoch]):
            share = (epoch * per_epoch + step) / (epochs * per_epoch)
            for group in optimizer.param_groups:
                group["lr"] = lr * min(1.0, share / 0.03 + 1e-3) * 0.5 * (1 + math.cos(math.pi * share))
            logits = model(x[chunk])
            loss = torch.nn.functional.cross_entropy(logits, y[chunk], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for layer in model.modules():
                    if isinstance(layer, nn.linear.Quantized):
                        layer.weight.clamp_(-1, 1)
            right += int((logits.argmax(1) == y[chunk]).sum())
            total += float(loss)
        settle_batch_norms(model, x[torch.randperm(len(x))].split(250)[:20])
        score = accuracy(model, x_held, y_held)
        print(
            f"epoch {epoch + 1}/{epochs}: loss {total / per_epoch:.3f}, {right / len(y):.2%} of the training"
            f" windows, {score:.2%} of the validation ones, {time.perf_counter() - start:.0f} s",
            file=sys.stderr,
            flush=True,
        )


@torch.no_grad()
def judge(model: nn.Streaming, graph: edgeternary.ir.Graph, clips: Clips) -> dict[str, object]:
    """The step graph's class of each test window, and windows whose logits differ from PyTorch's."""
    model.eval()
    x, size, right, differ = test_windows(clips, model.window), model.window, 0, 0
    for start in range(0, len(x), 100):
        part = x[start : start + 100]
        steps = part.transpose(1, 2).numpy().astype(np.uint8)
        found = edgeternary.run.run(graph, steps).outputs[:, size - 1]
        scaled = found.astype(np.float32) * np.float32(graph.meta.logit_scale)
        differ += int((scaled != model(part).numpy()).any(axis=1).sum())
        right += int((found.argmax(axis=1) == clips.y[start : start + 100]).sum())
    return {"test_accuracy": right / len(x), "test_samples": len(x), "mismatches_torch": differ}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=45)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--samples", type=int, help="number of clips of each part: the first ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", dest="out", type=Path, default=HERE, help="folder of the results")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    parts = {name: keypad.load(name, args.samples) for name in keypad.EACH}
    model, start = make_model(args.channels), time.perf_counter()
    fit(model, parts["train"], parts["validation"], args.epochs, args.batch, args.lr)
    seconds = time.perf_counter() - start
    args.out.mkdir(parents=True, exist_ok=True)
    nn.save_codes(model, args.out / f"{NAME}.safetensors")
    graph = write(model, parts["test"], args.out, vars(args) | {"seconds": round(seconds)})
    print(f"{graph.name} written to {args.out}")
    return 0


def write(model: nn.Streaming, test: Clips, folder: Path, recipe: dict[str, object]) -> edgeternary.ir.Graph:
    """The step graph and its card."""
    example = torch.zeros(1, BANDS, model.window)
    graph = edgeternary.lower(model, example, name=NAME, labels=keypad.LABELS)
    found = judge(model, graph, test)
    card = {
        "name": NAME,
        "data": f"synthetic keypad {keypad.FORMAT}, spoken by espeak-ng {voices.version()}; no human voice",
        **found,
        **sizes(graph),
        "window": model.window,
        "held_out_speakers": {part: voices.SPEAKERS[part] for part in ("validation", "test")},
        "recipe": {
            name: recipe[name] for name in ("epochs", "channels", "batch", "lr", "samples", "seed", "seconds")
        },
        "machine": platform.machine(),
        "torch": torch.__version__,
    }
    edgeternary.save(graph, folder / f"{NAME}.et")
    (folder / f"{NAME}.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(
        f"{found['test_accuracy']:.2%} of {found['test_samples']:,} windows of unheard synthetic voices,"
        f" {found['mismatches_torch']} differ from PyTorch",
        file=sys.stderr,
    )
    if found["mismatches_torch"]:
        raise EdgeTernaryError(f"{NAME} differs from PyTorch", "", "report this as a bug", NOT_BIT_EXACT)
    return graph


if __name__ == "__main__":
    script(main)
