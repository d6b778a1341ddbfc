"""Trains a spiking net with surrogate gradients, lowers it, and writes <name>.et and <name>.json.

    pip install "edgeternary[train,data]"
    python examples/spiking_fashion/train.py --task fashion

The card's accuracy is the integer graph's on all test images, and every logit of every step is compared with
PyTorch's.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch
from network import TASKS, Task, make_model
from torch import Tensor

import edgeternary
from edgeternary import nn
from edgeternary.errors import script
from edgeternary.nn.surrogates import SURROGATES
from edgeternary.ops.sizes import sizes
from edgeternary.train.data import DATASETS

HERE = Path(__file__).parent
TEMPERATURE = 3.0  # of distillation


def augmented(x: Tensor, how: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Pixels (N, 784): flip mirrors half of them, shift moves each by up to a pixel either way.

    The second tensor, (N,), has 1 where an image was mirrored.
    """
    images = x.reshape(-1, 28, 28)
    turn = torch.rand(len(x)) < (0.5 if "flip" in how else 0.0)
    if "flip" in how:
        images = torch.where(turn[:, None, None], images.flip(2), images)
    if "shift" in how:
        wide = torch.nn.functional.pad(images, (1, 1, 1, 1))
        moves = torch.randint(0, 9, (len(x),))
        moved = torch.stack([wide[:, dy : dy + 28, dx : dx + 28] for dy in range(3) for dx in range(3)])
        images = moved[moves, torch.arange(len(x))]
    return images.reshape(-1, 784), turn.long()


def teach(name: str, images: np.ndarray) -> Tensor:
    """Logits (N, 2, 10) of a model of the zoo, for each image (N, 28, 28, 1) and its mirror image."""
    graph = edgeternary.zoo.load(name)
    scale = graph.meta.logit_scale
    assert scale is not None
    sides = (images, images[:, :, ::-1])
    answers = [edgeternary.run.run(graph, side.copy(), on="host").outputs for side in sides]
    return torch.from_numpy(np.stack(answers, 1).astype(np.float32) * np.float32(scale))


def judged(logits: Tensor, labels: Tensor, taught: Tensor | None) -> Tensor:
    """Cross entropy; with a teacher half of it, and half of the divergence from its answers.

    Both sides of the divergence are softened by TEMPERATURE, whose square restores the gradient's size
    (Hinton et al., arXiv:1503.02531).
    """
    loss = torch.nn.functional.cross_entropy(logits, labels)
    if taught is None:
        return loss
    here, there = (torch.log_softmax(z / TEMPERATURE, 1) for z in (logits, taught))
    apart = torch.nn.functional.kl_div(here, there, log_target=True, reduction="batchmean")
    return 0.5 * loss + 0.5 * TEMPERATURE**2 * apart


def fit(
    model: nn.Spiking, task: Task, images: Tensor, labels: Tensor, taught: Tensor | None, epochs: int
) -> None:
    """Adam with a warm-up of 3 % and a cosine to zero; latent weights stay within [-1, 1]."""
    optimizer = torch.optim.Adam(model.parameters(), lr=task.lr)
    steps = math.ceil(len(images) / task.batch) * epochs
    done = 0
    coding, fraction = model.coding, model.net.lif1.fraction
    for epoch in range(epochs):
        model.train()
        # Pixels as they are need the first layer once for all steps: most epochs see them, the last spikes.
        plain = epoch < round(task.plain * epochs)
        model.coding, model.net.lif1.fraction = ("direct", 0) if plain else (coding, fraction)
        right, start = 0, time.perf_counter()
        for chunk in torch.randperm(len(images)).split(task.batch):
            share = done / steps
            rate = task.lr * min(1.0, share / 0.03 + 1e-3) * 0.5 * (1 + math.cos(math.pi * share))
            for group in optimizer.param_groups:
                group["lr"] = rate
            x, turned = augmented(images[chunk], task.augment)
            logits = model(x)[:, -1]
            loss = judged(logits, labels[chunk], None if taught is None else taught[chunk, turned])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for layer in (model.net.fc1, model.net.fc2):
                    layer.weight.clamp_(-1, 1)
            right += int((logits.argmax(1) == labels[chunk]).sum())
            done += 1
        print(
            f"epoch {epoch + 1}/{epochs}: {100 * right / len(images):.2f} % of the training images,"
            f" {time.perf_counter() - start:.0f} s",
            file=sys.stderr,
            flush=True,
        )


@torch.no_grad()
def settle(model: nn.Spiking, images: Tensor, batches: int = 40) -> None:
    """The neurons' running statistics become means over some batches, all with the final weights."""
    model.train()
    for i, chunk in enumerate(torch.randperm(len(images)).split(500)[:batches]):
        model.net.lif1.momentum = 1 / (i + 1)
        model(images[chunk])
    model.eval()


def judge(
    model: nn.Spiking, graph: edgeternary.ir.Graph, images: Tensor, labels: np.ndarray
) -> dict[str, object]:
    """Accuracy of the graph, activity, and samples in which any logit of any step differs from PyTorch's."""
    model.eval()
    right = differ = 0
    active = {"input": 0.0, "lif1": 0.0}
    for start in range(0, len(images), 500):
        part = images[start : start + 500]
        with torch.no_grad():
            events, logits = model.encode(part), model(part).numpy()
        found = edgeternary.run.run(graph, events.numpy().astype(np.uint8), taps=True)
        scaled = found.outputs.astype(np.float32) * np.float32(graph.meta.logit_scale)
        differ += int((scaled != logits).reshape(len(part), -1).any(1).sum())
        right += int((found.outputs[:, -1].argmax(1) == labels[start : start + 500]).sum())
        active["input"] += float(events.mean()) * len(part)
        active["lif1"] += float(found.taps["lif1"].mean()) * len(part)
    count = len(images)
    return {
        "test_accuracy": right / count,
        "test_samples": count,
        "mismatches_torch": differ,
        "activity": {name: round(total / count, 4) for name, total in active.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=sorted(TASKS), default="fashion")
    parser.add_argument("--epochs", type=int, help="passes over the training images (the task's)")
    parser.add_argument("--hidden", type=int, help="neurons (the task's)")
    parser.add_argument("--steps", type=int, help="of each image (the task's)")
    parser.add_argument("--coding", help="rate, latency or direct (the task's)")
    parser.add_argument("--surrogate", choices=sorted(SURROGATES), default="arctan")
    parser.add_argument("--train-samples", type=int, help="number of training images: the first ones")
    parser.add_argument("--test-samples", type=int, help="number of test images: the first ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", dest="out", type=Path, default=HERE, help="folder of the results")
    args = parser.parse_args()
    task = TASKS[args.task]
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    data = DATASETS[task.data]()
    x, y = (np.concatenate([data.train[i], data.validation[i]])[: args.train_samples] for i in range(2))
    images = torch.from_numpy(x.reshape(len(x), 784)).float()
    model = make_model(args.hidden or task.hidden, args.steps or task.steps, args.coding or task.coding)
    model.net.lif1.surrogate = args.surrogate
    epochs, start = args.epochs or task.epochs, time.perf_counter()
    taught = teach(task.teacher, x) if task.teacher else None
    fit(model, task, images, torch.from_numpy(y.astype(np.int64)), taught, epochs)
    settle(model, images)
    seconds = time.perf_counter() - start
    graph = edgeternary.lower(model, images[:1], name=task.name, labels=data.labels)
    tests, classes = (part[: args.test_samples] for part in data.test)
    found = judge(model, graph, torch.from_numpy(tests.reshape(len(tests), 784).copy()).float(), classes)
    card = {
        "name": task.name,
        "data": data.name,
        **found,
        **sizes(graph),
        "steps": model.steps,
        "coding": model.coding,
        "surrogate": args.surrogate,
        "hidden": args.hidden or task.hidden,
        "epochs": epochs,
        "plain_epochs": round(task.plain * epochs),
        "teacher": task.teacher,
        "augment": task.augment,
        "lr": task.lr,
        "batch": task.batch,
        "seed": args.seed,
        "seconds": round(seconds, 1),
        "machine": platform.machine(),
        "torch": torch.__version__,
    }
    args.out.mkdir(parents=True, exist_ok=True)
    edgeternary.save(graph, args.out / f"{task.name}.et")
    nn.save_codes(model, args.out / f"{task.name}.safetensors")
    (args.out / f"{task.name}.json").write_text(json.dumps(card, indent=2) + "\n")
    print(
        f"{task.name}: {100 * float(str(found['test_accuracy'])):.2f} % of {len(tests):,} test images,"
        f" {found['mismatches_torch']} differ from PyTorch"
    )
    return 0 if not found["mismatches_torch"] else 4


if __name__ == "__main__":
    script(main)
