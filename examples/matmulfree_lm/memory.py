"""What the language model takes to run and to train, beside float16 and beside a transformer.

python memory.py kjv.et
"""

import sys
from collections.abc import Callable
from functools import partial

import torch

import edgeternary
from edgeternary.nn.bit_linear import BitLinear
from edgeternary.nn.lm import MatMulFreeLM
from edgeternary.nn.saved import saved_bytes
from edgeternary.report.lm_memory import lm_memory

graph = edgeternary.load(sys.argv[1])
print(f"{'bytes to run':36}{'weights':>10}{'constants':>10}{'memory':>10}{'total':>10}{'times':>7}{'all':>7}")
for row in lm_memory(graph):
    numbers = "".join(f"{row[key]:>10,}" for key in ("weights", "constants", "memory", "total"))
    print(f"{row['name']:36}{numbers}{row['times']:>7}{row['times_with_constants']:>7}")


def kept(what: str, model: torch.nn.Module, forward: Callable[[], object]) -> None:
    """Prints the bytes that the plain and the fused layers of `model` keep for backward."""
    found = {}
    for fused in (False, True):
        for layer in model.modules():
            if isinstance(layer, BitLinear):
                layer.fused = fused
        found[fused] = saved_bytes(forward, model)
    less = 1 - found[True] / found[False]
    print(f"{what:36}{found[False]:>12,}{found[True]:>12,}{less:>7.1%}")


print(f"\n{'bytes kept for backward, 2,048 tokens':36}{'plain':>11}{'fused':>12}{'less':>7}")
torch.manual_seed(0)
symbols = len(graph.meta.labels)
model, tokens = MatMulFreeLM(symbols), torch.randint(symbols, (128, 16))
kept("the whole model", model, lambda: model(tokens, model.initial(16)))
for name, layer in model.named_modules():
    if isinstance(layer, BitLinear):
        x = torch.randn(2048, layer.inputs, requires_grad=True)
        kept(name, layer, partial(layer.train_forward, x))
