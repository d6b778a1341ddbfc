"""PyTorch's eval mode against the integer graph on held-out text: every logit of every character.

python verify.py kjv.et [--characters 10000] [--on numpy,host]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

import edgeternary
from edgeternary.nn import MatMulFreeLM
from edgeternary.run import run
from edgeternary.train.data import king_james
from edgeternary.train.lm import columns_of, encode

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model", type=Path, help="kjv.et, with kjv.safetensors beside it")
parser.add_argument("--characters", type=int, default=10_000)
parser.add_argument("--columns", type=int, default=20, help="texts side by side")
parser.add_argument("--on", default="numpy,host")
chosen = parser.parse_args()

graph, text = edgeternary.load(chosen.model), king_james()
model = MatMulFreeLM(len(graph.meta.labels))
model.load_state_dict(load_file(chosen.model.with_suffix(".safetensors")))
x = columns_of(encode(text.held_out, text.symbols)[: chosen.characters], chosen.columns)
right, _ = model.eval()(torch.from_numpy(x), model.initial(chosen.columns))
differ = 0
for name in chosen.on.split(","):
    outputs = run(graph, x.T[..., None], on=name, options={"optimize": "flash"}).outputs
    wrong = np.any(outputs.transpose(1, 0, 2) * graph.meta.logit_scale != right.numpy(), axis=-1)
    print(f"{name}: {x.size:,} characters, {wrong.sum()} of them with a logit that differs from PyTorch's")
    differ += int(wrong.sum())
sys.exit(4 if differ else 0)
