"""Trains a MatMul-free language model on characters, and measures its bits a character on held-out text."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.nn.lm import MatMulFreeLM
from edgeternary.run import run
from edgeternary.train.data.king_james import Text
from edgeternary.train.lm_checkpoint import LmCheckpoint
from edgeternary.train.lm_recipe import LmRecipe

Codes = NDArray[np.int64]
Told = Callable[[int, int, float], None]


def encode(text: str, symbols: str) -> Codes:
    """Codes int64 (n,) of a text. EdgeTernaryError for characters that are not symbols."""
    unknown = set(text) - set(symbols)
    if unknown:
        raise EdgeTernaryError(f"the text has {sorted(unknown)[:8]}", f"the symbols are {symbols!r}")
    places = {symbol: code for code, symbol in enumerate(symbols)}
    return np.array([places[symbol] for symbol in text], np.int64)


def train_lm(
    text: Text, recipe: LmRecipe, told: Told | None = None, checkpoint: LmCheckpoint | None = None
) -> MatMulFreeLM:
    """A trained model in eval mode.

    told        called after each update with (updates done, updates, bits a character of the last update)
    checkpoint  continues from this file, and gives the same model as a training without interruption
    A stream is consecutive text. Its states continue from one part to the next; its gradients do not.
    EdgeTernaryError if the text is too short for the recipe.
    """
    torch.manual_seed(recipe.seed)
    model = MatMulFreeLM(len(text.symbols), recipe.width, recipe.layers, recipe.hidden, recipe.weights)
    model.set_dtype(getattr(torch, recipe.dtype))
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.rate, betas=(0.9, 0.98), fused=True)
    codes = torch.from_numpy(encode(text.train, text.symbols))
    updates = recipe.updates()
    done, states = checkpoint.read(recipe, model, optimizer) if checkpoint else (0, [])
    states = states or model.initial(recipe.batch)
    for update, (first, x) in enumerate(_parts(codes, recipe)):
        if update < done:
            continue
        if first:
            states = model.initial(recipe.batch)
        for group in optimizer.param_groups:
            group["lr"] = _rate(recipe, update, updates)
            group["weight_decay"] = recipe.decay if 2 * update < updates else 0.0
        logits, states = model(x[:-1], states)
        loss = F.cross_entropy(logits.flatten(0, 1), x[1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if checkpoint and checkpoint.due():
            checkpoint.write(recipe, update + 1, model, optimizer, states)
        if told:
            told(update + 1, updates, loss.item() / math.log(2))
    return model.eval()


def _rate(recipe: LmRecipe, update: int, updates: int) -> float:
    rising = min(1.0, (update + 1) / (recipe.warm_up * updates))
    return recipe.rate * rising * 0.5 * (1 + math.cos(math.pi * update / updates))


def _parts(codes: Tensor, recipe: LmRecipe) -> Iterator[tuple[bool, Tensor]]:
    """For each update: whether the streams start again, and their characters (steps + 1, batch).

    A pass cuts the text into `batch` streams. It takes the text as a ring that begins at a random place.
    """
    random = np.random.default_rng(recipe.seed)
    span = len(codes) // recipe.batch
    each = (span - 1) // recipe.steps
    if each < 1:
        raise EdgeTernaryError(
            f"a text of {len(codes):,} characters is too short",
            f"{recipe.batch} streams of {recipe.steps} characters are read at a time",
            "use a longer text, fewer streams or fewer steps",
        )
    block = codes[:0]
    for update in range(recipe.updates()):
        part = update % each
        if part == 0:
            start = int(random.integers(0, len(codes)))
            columns = torch.arange(recipe.batch) * span + start
            block = codes[(columns[None] + torch.arange(each * recipe.steps + 1)[:, None]) % len(codes)]
        yield part == 0, block[part * recipe.steps : (part + 1) * recipe.steps + 1]


def columns_of(codes: Codes, columns: int) -> Codes:
    """The text as `columns` streams of equal length, (steps, columns). The rest is dropped."""
    steps = len(codes) // columns
    return np.ascontiguousarray(codes[: steps * columns].reshape(columns, steps).T)


@torch.no_grad()
def bits_in_torch(model: MatMulFreeLM, codes: Codes, columns: int = 32, part: int = 512) -> float:
    """Bits a character in the current mode of the model. Each stream starts with the initial states."""
    x = torch.from_numpy(columns_of(codes, columns))
    states, total = model.initial(columns), 0.0
    for at in range(0, len(x) - 1, part):
        piece = x[at : at + part + 1]
        logits, states = model(piece[:-1], states)
        total += F.cross_entropy(logits.flatten(0, 1), piece[1:].flatten(), reduction="sum").item()
    return total / x[1:].numel() / math.log(2)


def bits_of_graph(graph: Graph, codes: Codes, columns: int = 32, on: str = "numpy") -> float:
    """Bits a character of the integer graph: mean -log2 softmax(output * logit_scale) of the next symbol."""
    x = columns_of(codes, columns).T
    outputs = run(graph, x[:, :-1, None], on=on).outputs
    logits = outputs.astype(np.float64) * graph.meta.logit_scale
    logits -= logits.max(-1, keepdims=True)
    chosen = np.take_along_axis(logits, x[:, 1:, None], -1)[..., 0]
    return float(np.mean(np.log(np.exp(logits).sum(-1)) - chosen) / math.log(2))
