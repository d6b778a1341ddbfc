"""A MatMul-free language model: every product of weights is with -1, 0 or +1 (Zhu et al., 2024,
arXiv:2406.02528).

    x = embedding[token]
    x += MLGRU(x);  x += GLU(x)         in each layer
    logits = head(x)

Every weight matrix is a BitLinear, whose RMS norm is also the norm before the mixer. Gating follows the
paper: g = sigmoid(W_g x) and o = W_o (g * h). (The published code norms g and puts SiLU on the state.)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgeternary.nn.bit_linear import BitLinear
from edgeternary.nn.gates import fake_codes, fake_sigmoid, fake_silu
from edgeternary.nn.recurrence import linear_recurrence


class MLGRU(nn.Module):
    """Token mixer: f = sigmoid(W_f x + b), c = SiLU(W_c x), h = f h' + (1 - f) c,
    y = W_o(sigmoid(W_g x) * h).

    x (T, N, width), the state h (N, width) -> y (T, N, width) and the last state.
    """

    def __init__(self, width: int, weights: str) -> None:
        super().__init__()
        self.gates = BitLinear(width, (width, width, width), weights=weights)
        self.out = BitLinear(width, (width,), clip=8.0, weights=weights)
        self.bias = nn.Parameter(torch.linspace(-1.0, 4.0, width))  # memories of 1 to 50 steps

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        f, c, g = self.gates.train_forward(x)
        h = linear_recurrence(fake_sigmoid(f + self.bias), fake_silu(c), state)
        return self.out.train_forward(fake_sigmoid(g) * h)[0], h[-1].detach()


class GLU(nn.Module):
    """Channel mixer: y = W_down(SiLU(W_gate x) * W_up x); x (..., width)."""

    def __init__(self, width: int, hidden: int, weights: str) -> None:
        super().__init__()
        self.up = BitLinear(width, (hidden, hidden), weights=weights)
        self.down = BitLinear(hidden, (width,), clip=8.0, weights=weights)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.up.train_forward(x)
        return self.down.train_forward(fake_silu(a) * fake_codes(b))[0]


class Block(nn.Module):
    def __init__(self, width: int, hidden: int, weights: str) -> None:
        super().__init__()
        self.mixer, self.glu = MLGRU(width, weights), GLU(width, hidden, weights)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        y, state = self.mixer(x, state)
        x = x + y
        return x + self.glu(x), state


class Embedding(nn.Module):
    """tokens (...) -> (..., width): a table of int8 codes in 16ths."""

    STEP = 1 / 16

    def __init__(self, symbols: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(symbols, width))

    def codes(self) -> Tensor:
        return torch.clamp(torch.floor(self.weight.detach() / self.STEP + 0.5), -127, 127)

    def forward(self, tokens: Tensor) -> Tensor:
        table = self.weight + (self.codes() * self.STEP - self.weight).detach()
        return nn.functional.embedding(tokens, table)


class MatMulFreeLM(nn.Module):
    """tokens (T, N) -> logits (T, N, symbols) and the states, a list of (N, width) a layer."""

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
        self.embedding = Embedding(symbols, width)
        self.blocks = nn.ModuleList([Block(width, hidden, weights) for _ in range(layers)])
        self.head = BitLinear(width, (symbols,), weights=weights)
        self.gain = nn.Parameter(torch.tensor(0.0))
        self.bias = nn.Parameter(torch.zeros(symbols))

    def initial(self, samples: int) -> list[Tensor]:
        return [torch.zeros(samples, self.width) for _ in self.blocks]

    def forward(self, tokens: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        x, after = self.embedding(tokens), []
        for block, state in zip(self.blocks, states, strict=True):
            x, state = block(x, state)
            after.append(state)
        return self.head.train_forward(x)[0] * self.gain.exp() + self.bias, after
