"""LutLayer and LutConv2d: small tables of bits whose wiring and entries are learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.conv import pair
from edgeternary.nn.luts import ops
from edgeternary.nn.luts.gradients import best, find_gradient, table_outputs
from edgeternary.nn.luts.near import nearest

SPREAD = 0.01  # of the first scores


class LutLayer(nn.Module):
    """Bits (N, inputs) of 0 and 1 -> bits (N, outputs), each from a table of `fan_in` bits.

    Each pin reads the one of its K candidate bits that has the highest score, and its scores get the gradient
    of a softmax over them (straight-through). A table entry is 1 where its latent value is positive. The
    gradient of the pins is one of TABLE_GRADIENTS.

    candidates: K, drawn from all inputs; fewer inputs are all candidates. rate: a step of the optimizer moves
    scores by this factor more than latent values. until: the share of the training (nn.set_progress) after
    which the wiring stays as it is; steps take a third of the time then. surrogate: the name of a table
    gradient.

    near: the candidates of a table are among the `near` inputs that lie nearest to its place in the picture,
    so that an FPGA's wires are short; 0 takes all inputs. picture: (H, W) in pixels; input i lies at pixel
    i mod H * W. sweeps: the places go over the picture this often, 10 times for ten groups of tables.

    EdgeTernaryError for a fan-in beyond 2..6, and with `near` where the inputs are not whole maps of the
    picture.
    """

    candidates: Tensor
    progress = 0.0

    def __init__(
        self,
        inputs: int,
        outputs: int,
        fan_in: int = 6,
        candidates: int = 128,
        rate: float = 4.0,
        until: float = 0.6,
        surrogate: str = "efd",
        near: int = 0,
        picture: tuple[int, int] = (1, 1),
        sweeps: int = 1,
    ) -> None:
        super().__init__()
        if not (2 <= fan_in <= 6 and inputs >= 1 and outputs >= 1 and candidates >= 1):
            raise EdgeTernaryError(
                f"a layer of {outputs} tables of {inputs} bits cannot have a fan-in of {fan_in}",
                "tables have 2 to 6 pins, and each pin has at least one candidate",
                "use fan_in=4 for fabrics of 4-input tables, 6 for those of 6-input tables",
            )
        if near < 0 or sweeps < 1 or min(picture) < 1 or (near and inputs % (picture[0] * picture[1])):
            raise EdgeTernaryError(
                f"{outputs} tables cannot take the {near} nearest of {inputs} bits",
                f"bits lie in maps of {picture[0]} x {picture[1]} pixels, which are swept {sweeps} times",
                "give the picture's height and width, and near=0 where there is no picture",
            )
        self.inputs, self.outputs, self.fan_in = inputs, outputs, fan_in
        self.near, self.picture, self.sweeps = near, picture, sweeps
        self.rate, self.until = rate, until
        self.kept: Tensor | None = None  # the wiring, after `until`
        self.gradient = find_gradient(surrogate)
        self.tables = nn.Parameter(torch.rand(outputs, 1 << fan_in) * 2 - 1)
        count = min(candidates, inputs, near or inputs)
        self.scores = nn.Parameter(torch.randn(outputs * fan_in, count) * (SPREAD / rate))
        self.register_buffer("candidates", torch.empty(outputs * fan_in, count, dtype=torch.int64))
        self.draw(torch.ones(inputs, dtype=torch.bool))

    @torch.no_grad()
    def draw(self, alive: Tensor) -> None:
        """Draws candidates among the inputs for which `alive` (inputs,) is true, each about equally often.

        With `near`, each table draws among those at its place, and its pins share none if there are enough.
        """
        self.kept = None
        chosen = alive.nonzero()[:, 0] if alive.any() else torch.arange(self.inputs)
        if self.near:
            order = nearest(chosen, self.near, self.picture, self.outputs, self.sweeps)
            count = self.fan_in * self.candidates.shape[1]
            rounds = -(-count // order.shape[1])
            self.candidates.copy_(order.repeat(1, rounds)[:, :count].reshape(self.candidates.shape))
            return
        pins, count = self.candidates.shape
        rounds = -(-pins * count // len(chosen))
        order = torch.cat([chosen[torch.randperm(len(chosen))] for _ in range(rounds)])
        self.candidates.copy_(order[: pins * count].view(count, pins).t())

    @torch.no_grad()
    def fit(self, x: Tensor, rare: float = 1e-3) -> None:
        """Draws candidates among the inputs that vary in x: set in more than the share `rare`, and unset."""
        share = self.columns(x).float().mean(1)
        self.draw((share > rare) & (share < 1 - rare))

    def columns(self, x: Tensor) -> Tensor:
        """Bits as tables read them, (inputs, n)."""
        return x.t()

    def wiring(self) -> Tensor:
        """int32 (outputs, fan_in): the input that each pin reads."""
        return best(self.scores.detach(), self.candidates).view(self.outputs, -1).int()

    def codes(self) -> Tensor:
        """uint8 (outputs, 2^fan_in): the entries, 0 or 1."""
        return (self.tables.detach() > 0).to(torch.uint8)

    def set_progress(self, progress: float) -> None:
        """Share of the training that is done, 0..1."""
        self.progress = progress
        if progress < self.until:
            self.kept = None

    def trained(self, columns: Tensor) -> Tensor:
        """columns(x) -> bits (outputs, n), with gradients."""
        if self.progress < self.until:
            return table_outputs(columns, self.tables, self.scores, self.candidates, self.gradient, self.rate)
        if self.kept is None:
            self.kept = best(self.scores.detach(), self.candidates)
        fixed = self.scores.detach()[:, :1]
        return table_outputs(columns, self.tables, fixed, self.kept, self.gradient, self.rate)

    @torch.no_grad()
    def clip(self, bound: float) -> None:
        """Keeps latent values in [-bound, bound]."""
        self.tables.clamp_(-bound, bound)

    @torch.no_grad()
    def fix(self, wiring: Tensor | None = None) -> None:
        """From now on pin k of table l reads wiring[l, k], by default what it reads; (outputs, fan_in)."""
        chosen = (self.wiring() if wiring is None else wiring).reshape(-1, 1).long()
        self.candidates, self.kept = chosen, None
        self.scores = nn.Parameter(self.tables.new_zeros(len(chosen), 1), requires_grad=False)

    @torch.no_grad()
    def freeze(self) -> None:
        """Latent values become -1 and +1, and the wiring is fixed."""
        self.tables.copy_(self.codes() * 2.0 - 1)
        self.fix()

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return self.trained(self.columns(x)).t()
        return ops.lut(x, self.wiring(), self.codes(), (1, 1), (1, 1), (0, 0, 0, 0))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        self.kept, scores = None, state_dict.get(prefix + "scores")
        if scores is not None and scores.shape != self.scores.shape and scores.shape[1] == 1:
            self.fix(state_dict[prefix + "candidates"])  # of a layer whose wiring is fixed
        super()._load_from_state_dict(state_dict, prefix, *args)

    def extra_repr(self) -> str:
        return f"{self.inputs}, {self.outputs}, fan_in={self.fan_in}, surrogate={self.gradient.name}"


class LutConv2d(LutLayer):
    """Bits (N, C, H, W) -> bits (N, outputs, OH, OW): tables over a window, the same at every position.

    A LutConv2d with a kernel of 1 after it makes a tree of tables, and MaxPool the "or" of neighbours. pad:
    bits around the map that are not set, one number or (top, left, bottom, right).
    """

    def __init__(
        self, channels: int, outputs: int, kernel: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1, pad: int | Sequence[int] = 0, fan_in: int = 6, **options: Any,
    ) -> None:  # fmt: skip
        ky, kx = pair(kernel)
        super().__init__(channels * ky * kx, outputs, fan_in, **options)
        self.kernel, self.stride = (ky, kx), pair(stride)
        self.pad = (pad,) * 4 if isinstance(pad, int) else tuple(pad)

    def columns(self, x: Tensor) -> Tensor:
        return ops.unfolded(x, self.kernel, self.stride, self.pad)

    def forward(self, x: Tensor) -> Tensor:
        window = self.kernel, self.stride, self.pad
        if self.training:
            return ops.folded(self.trained(self.columns(x)), x, *window)
        return ops.lut(x, self.wiring(), self.codes(), *window)
