"""Trains the MatMul-free language model of characters on the King James text, and lowers it.

python train.py -o kjv.et [--weights int8] [--held-out end] [--characters 8000000] [--threads 1]
    [--checkpoint kjv.part]
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file

import edgeternary
from edgeternary.frontends.torch_lm import lower_lm
from edgeternary.train.data import king_james
from edgeternary.train.lm import bits_in_torch, bits_of_graph, encode, train_lm
from edgeternary.train.lm_checkpoint import LmCheckpoint
from edgeternary.train.lm_recipe import LmRecipe

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument(
    "-o",
    "--output",
    type=Path,
    default=Path("kjv.et"),
    help="the integer graph, and PyTorch's weights beside it; only ternary weights give one",
)
parser.add_argument("--weights", default="ternary_absmean", choices=["ternary_absmean", "int8", "float"])
parser.add_argument("--characters", type=int, default=LmRecipe.characters)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--held-out", default="chapters", choices=["chapters", "end"], help="of the text")
parser.add_argument("--measure", type=int, default=None, help="held-out characters to measure on; all")
parser.add_argument("--checkpoint", type=Path, help="written every minute; with it a stopped run goes on")
chosen = parser.parse_args()

torch.set_num_threads(chosen.threads)
text = king_james(chosen.held_out)
recipe = LmRecipe(weights=chosen.weights, characters=chosen.characters, seed=chosen.seed)
start, recent = time.monotonic(), [0.0]


def told(done: int, updates: int, bits: float) -> None:
    recent.append(bits)
    if done % 100 == 0 or done == updates:
        speed = done * recipe.batch * recipe.steps / (time.monotonic() - start)
        mean = sum(recent[-100:]) / len(recent[-100:])
        print(f"{done}/{updates} {mean:.3f} bits/character, {speed:,.0f} characters/s", file=sys.stderr)


model = train_lm(text, recipe, told, LmCheckpoint(chosen.checkpoint) if chosen.checkpoint else None)
held_out = encode(text.held_out, text.symbols)[: chosen.measure]
card = {"data": text.name, "held_out": chosen.held_out, "recipe": asdict(recipe)}
card["seconds"] = round(time.monotonic() - start)
if chosen.weights != "float":
    info = {"data": f"{text.name} (Debian bible-kjv-text)", "recipe": json.dumps(asdict(recipe))}
    graph = lower_lm(model, text.symbols, name="kjv", info=info)
    card["bits_per_character"] = round(bits_of_graph(graph, held_out), 4)
    edgeternary.save(graph, chosen.output)
    save_file(model.state_dict(), chosen.output.with_suffix(".safetensors"))
else:
    card["bits_per_character"] = round(bits_in_torch(model, held_out), 4)
print(json.dumps(card, indent=2))
