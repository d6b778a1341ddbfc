"""The test images that ship with the package as spikes, for every tool that takes --inputs.

    python examples/spiking_fashion/events.py --task mnist --output events.npz
    edgeternary simulate examples/spiking_fashion/spiking-mnist.et --inputs events.npz --on cxxrtl --compare

`inputs` are (samples, steps, 784) spikes in the coding of the shipped net, `labels` what the images show.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from network import TASKS

from edgeternary import nn, zoo
from edgeternary.errors import script

HERE = Path(__file__).parent
IMAGES = {"fashion": "fashion-mlp", "mnist": "mnist-mlp"}  # models of the zoo with the same test images


def events(task: str, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Spikes (samples, steps, 784) and labels (samples,); samples at most 1,000."""
    card = json.loads((HERE / f"{TASKS[task].name}.json").read_text(encoding="utf-8"))
    pixels, labels = zoo.images(IMAGES[task])
    flat = torch.from_numpy(pixels[:samples].reshape(-1, 784).astype(np.float32))
    spikes = nn.Spiking(torch.nn.Identity(), card["steps"], card["coding"]).encode(flat)
    return spikes.numpy().astype(np.uint8), labels[:samples]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=sorted(TASKS), default="fashion")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("-o", "--output", dest="out", type=Path, default=Path("events.npz"))
    args = parser.parse_args()
    inputs, labels = events(args.task, args.samples)
    np.savez_compressed(args.out, inputs=inputs, labels=labels)
    print(f"{args.out}: {len(inputs):,} samples of {inputs.shape[1]} steps, {inputs.mean():.1%} spikes")
    return 0


if __name__ == "__main__":
    script(main)
