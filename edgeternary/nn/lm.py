"""A MatMul-free language model: every product of weights is with -1, 0 or +1 (Zhu et al., 2024,
arXiv:2406.02528).

    x = embedding[token]
    x += MLGRU(x);  x += GLU(x)         in each layer
    logits = head(x)

Every weight matrix is a BitLinear, whose RMS norm is also the norm before the mixer. Gating follows the
paper: g = sigmoid(W_g x) and o = W_o (g * h). (The published code norms g and puts SiLU on the state.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.nn.bit_linear import FLOAT, BitLinear
from edgeternary.nn.gate_tables import CODES, HI, LO, rest_table, sigmoid_table, silu_table
from edgeternary.nn.gates import fake_codes, fake_sigmoid, fake_silu, limited
from edgeternary.nn.recurrence import linear_recurrence
from edgeternary.nn.rescale import Rescale

INT16 = (1 << 15) - 1
RESIDUAL = 1 << 10  # units of 1 in the sum of the branches, which is int16
EMBEDDING = 16  # codes of 1 in the embedding, which is int8
EMBEDDING_TOP = 127
STATE_SHIFT = GATED_SHIFT = 8  # sigmoids are in 256ths
GLU_SHIFT = 7  # a product of an int16 and an int8 as int16


def table(values: np.ndarray, codes: Tensor) -> Tensor:
    """values[code + 128]: a gate of int64 codes."""
    return torch.from_numpy(values)[codes - LO]


@dataclass(frozen=True)
class Gates:
    """The functions between the products, in train mode."""

    sigmoid: Callable[[Tensor], Tensor] = fake_sigmoid
    silu: Callable[[Tensor], Tensor] = fake_silu
    linear: Callable[[Tensor], Tensor] = fake_codes
    branch: Callable[[Tensor, float], Tensor] = limited

    @staticmethod
    def of(weights: str) -> Gates:
        """As tables and clamps give them; smooth and without limits for float weights."""
        if weights == FLOAT:
            return Gates(torch.sigmoid, F.silu, lambda z: z, lambda y, top: y)
        return Gates()

    def opened(self, g: Tensor, h: Tensor) -> Tensor:
        """sigmoid(g) * h: what leaves the state."""
        return self.sigmoid(g) * h

    def glu(self, a: Tensor, b: Tensor) -> Tensor:
        """SiLU(a) * b, (..., hidden)."""
        return self.silu(a) * self.linear(b)


def branch_top(layers: int) -> int:
    """What a branch may add at most, so that embedding and branches stay within int16."""
    return (INT16 - EMBEDDING_TOP * RESIDUAL // EMBEDDING) // (2 * layers)


class MLGRU(nn.Module):
    """Token mixer: f = sigmoid(W_f x + b), c = SiLU(W_c x), h = f h' + (1 - f) c,
    y = W_o(sigmoid(W_g x) * h).

    x (T, N, width), the state h (N, width) -> y (T, N, width) and the last state.
    """

    def __init__(self, width: int, weights: str) -> None:
        super().__init__()
        self.gates = BitLinear(width, (width, width, width), weights=weights)
        self.out = BitLinear(width, (width,), clip=8.0, weights=weights)
        self.functions = Gates.of(weights)
        self.bias = nn.Parameter(torch.linspace(-1.0, 4.0, width))  # memories of 1 to 50 steps

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        f, c, g = self.gates.train_forward(x)
        sigmoid, silu = self.functions.sigmoid, self.functions.silu
        h = linear_recurrence(sigmoid(f + self.bias), silu(c), state)
        return self.out.train_forward(g, h, gate=self.functions.opened)[0], h[-1].detach()

    def arguments(self) -> tuple[Rescale, Rescale, Rescale]:
        """From the accumulators of f, c and g to the codes of their tables."""
        bias = self.bias.detach().double().numpy()
        f, c, g = (self.gates.rescale(k, CODES, bias if k == 0 else 0.0, LO, HI) for k in range(3))
        return f, c, g

    def state_range(self) -> tuple[int, int]:
        """Of the state, in the units of silu_table: a mean of its entries stays between them."""
        return int(silu_table().min()), int(silu_table().max())

    def integers(self, x: Tensor, state: Tensor, top: int) -> tuple[Tensor, Tensor]:
        """Eval mode: int64 in units of 1 / RESIDUAL and of silu_table; `top` clamps the branch."""
        q = self.gates.quantised(x)
        f, c, g = (argument(self.gates.accumulators(q, k)) for k, argument in enumerate(self.arguments()))
        keep, rest, new = table(sigmoid_table(), f), table(rest_table(), f), table(silu_table(), c)
        rounded, states = Rescale.shift(STATE_SHIFT, x.shape[-1], *self.state_range()), []
        for t in range(len(x)):
            state = rounded(keep[t] * state + rest[t] * new[t])
            states.append(state)
        h = torch.stack(states) if states else x
        gated = Rescale.shift(GATED_SHIFT, x.shape[-1], -INT16, INT16)(table(sigmoid_table(), g) * h)
        y = self.out.accumulators(self.out.quantised(gated), 0)
        return self.out.rescale(0, RESIDUAL, 0.0, -top, top)(y), state


class GLU(nn.Module):
    """Channel mixer: y = W_down(SiLU(W_gate x) * W_up x); x (..., width)."""

    def __init__(self, width: int, hidden: int, weights: str) -> None:
        super().__init__()
        self.up = BitLinear(width, (hidden, hidden), weights=weights)
        self.down = BitLinear(hidden, (width,), clip=8.0, weights=weights)
        self.functions = Gates.of(weights)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.up.train_forward(x)
        return self.down.train_forward(a, b, gate=self.functions.glu)[0]

    def arguments(self) -> tuple[Rescale, Rescale]:
        """From the accumulators of gate and up to codes in 16ths."""
        a, b = (self.up.rescale(k, CODES, 0.0, LO, HI) for k in range(2))
        return a, b

    def integers(self, x: Tensor, top: int) -> Tensor:
        """Eval mode, as MLGRU.integers."""
        q = self.up.quantised(x)
        a, b = (argument(self.up.accumulators(q, k)) for k, argument in enumerate(self.arguments()))
        product = Rescale.shift(GLU_SHIFT, a.shape[-1], -INT16, INT16)(table(silu_table(), a) * b)
        y = self.down.accumulators(self.down.quantised(product), 0)
        return self.down.rescale(0, RESIDUAL, 0.0, -top, top)(y)


class Block(nn.Module):
    """Both mixers; each adds at most `top` / RESIDUAL to x."""

    def __init__(self, width: int, hidden: int, weights: str, top: int) -> None:
        super().__init__()
        self.mixer, self.glu = MLGRU(width, weights), GLU(width, hidden, weights)
        self.most, self.functions = top / RESIDUAL, Gates.of(weights)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        y, state = self.mixer(x, state)
        x = x + self.functions.branch(y, self.most)
        return x + self.functions.branch(self.glu(x), self.most), state

    def integers(self, x: Tensor, state: Tensor, top: int) -> tuple[Tensor, Tensor]:
        y, state = self.mixer.integers(x, state, top)
        x = x + y
        return x + self.glu.integers(x, top), state


class Embedding(nn.Module):
    """tokens (...) -> (..., width): a table of int8 codes in 16ths."""

    def __init__(self, symbols: int, width: int, weights: str) -> None:
        super().__init__()
        self.kind = weights
        self.weight = nn.Parameter(torch.randn(symbols, width))

    def codes(self) -> Tensor:
        """Integers (symbols, width) in a float tensor."""
        scaled = torch.floor(self.weight.detach() * EMBEDDING + 0.5)
        return torch.clamp(scaled, -EMBEDDING_TOP, EMBEDDING_TOP)

    def forward(self, tokens: Tensor) -> Tensor:
        if self.kind == FLOAT:
            return F.embedding(tokens, self.weight)
        table = self.weight + (self.codes() / EMBEDDING - self.weight).detach()
        return F.embedding(tokens, table)

    def integers(self, tokens: Tensor) -> Tensor:
        """Eval mode: int64 in units of 1 / RESIDUAL."""
        return self.codes().long()[tokens] * (RESIDUAL // EMBEDDING)


class MatMulFreeLM(nn.Module):
    """tokens (T, N) -> logits (T, N, symbols) and the states, a list of (N, width) a layer.

    Train mode is float with fake quantisation; eval mode is integer arithmetic, and its logits, float64, are
    integers times logit_scale(). initial(N) gives the states to start with in either mode.
    """

    def __init__(
        self,
        symbols: int,
        width: int = 128,
        layers: int = 2,
        hidden: int = 208,
        weights: str = "ternary_absmean",
    ) -> None:
        super().__init__()
        self.symbols, self.width, self.hidden, self.kind = symbols, width, hidden, weights
        self.embedding = Embedding(symbols, width, weights)
        self.blocks = nn.ModuleList(
            [Block(width, hidden, weights, branch_top(layers)) for _ in range(layers)]
        )
        self.head = BitLinear(width, (symbols,), weights=weights)
        self.gain = nn.Parameter(torch.tensor(0.0))
        self.bias = nn.Parameter(torch.zeros(symbols))

    def initial(self, samples: int) -> list[Tensor]:
        """Zeros, (samples, width) for each layer: float32 in train mode or with float weights, else int64."""
        kind = torch.float32 if self.training or self.kind == FLOAT else torch.int64
        return [torch.zeros(samples, self.width, dtype=kind) for _ in self.blocks]

    def layers(self) -> Iterator[BitLinear]:
        """Every BitLinear."""
        return (module for module in self.modules() if isinstance(module, BitLinear))

    def set_dtype(self, dtype: torch.dtype) -> None:
        """Of the products in train mode; bfloat16 holds codes of 8 bits exactly."""
        for layer in self.layers():
            layer.dtype = dtype

    def logit_scale(self) -> float:
        """What an accumulator of the head stands for: one scale for all symbols."""
        return float(self.head.unit(0) * np.exp(float(self.gain.detach())))

    def quantised_bias(self) -> Tensor:
        """round(bias / logit_scale), int64 (symbols,)."""
        return torch.floor(self.bias.detach().double() / self.logit_scale() + 0.5).long()

    def forward(self, tokens: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        if not self.training and self.kind != FLOAT:
            return self.integers(tokens, states)
        x, after = self.embedding(tokens), []
        for block, state in zip(self.blocks, states, strict=True):
            x, state = block(x, state)
            after.append(state)
        return self.head.train_forward(x)[0] * self.gain.exp() + self.bias, after

    @torch.no_grad()
    def integers(self, tokens: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """What the integer graph computes, all steps: logits in float64, states in int64."""
        x, after, top = self.embedding.integers(tokens), [], branch_top(len(self.blocks))
        for block, state in zip(self.blocks, states, strict=True):
            assert isinstance(block, Block)
            x, state = block.integers(x, state, top)
            after.append(state)
        acc = self.head.accumulators(self.head.quantised(x), 0) + self.quantised_bias()
        return acc.double() * self.logit_scale(), after
