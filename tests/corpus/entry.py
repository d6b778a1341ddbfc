"""One record for each network of the corpus: how it is built, what its author feeds it, what is expected."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

HERE = Path(__file__).parent
Tensors = Tensor | tuple[Tensor, ...]


@dataclass(frozen=True)
class Input:
    """One input: the raw integers a device has, and the floats that the author makes of them.

    shape         of one sample as the author feeds it, without the batch axis
    lo, hi        range of the raw integers, both included
    scale         floats are (integers * scale - mean) / std
    mean, std     one number, or one for each index along `axis` of a sample
    dtype         float32 or float64, or int64 for indices, which are not scaled
    """

    shape: tuple[int, ...]
    lo: int = 0
    hi: int = 255
    scale: float = 1.0
    mean: float | tuple[float, ...] = 0.0
    std: float | tuple[float, ...] = 1.0
    axis: int = 0
    dtype: torch.dtype = torch.float32

    def codes(self, samples: int, seed: int = 0) -> Tensor:
        """Random raw integers (samples, *shape), as a float tensor (or int64 for indices)."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(self.lo, self.hi + 1, (samples, *self.shape), generator=generator).to(self.dtype)

    def floats(self, codes: Tensor) -> Tensor:
        """What the author's model takes in place of these raw integers."""
        if self.dtype == torch.int64:
            return codes
        return (codes * self.scale - self._along(self.mean)) / self._along(self.std)

    def scaling(self) -> str:
        """How the author normalises, in words; "" where raw numbers go in."""
        plain = self.mean == 0.0 and self.std == 1.0
        scaled = "integers" if self.scale == 1.0 else f"integers * {self.scale:.6g}"
        return (
            ""
            if plain and self.scale == 1.0
            else scaled
            if plain
            else f"({scaled} - {self.mean}) / {self.std}"
        )

    def _along(self, numbers: float | tuple[float, ...]) -> Tensor:
        shape = [1] * len(self.shape)
        if isinstance(numbers, tuple):
            shape[self.axis] = len(numbers)
        return torch.tensor(numbers, dtype=self.dtype).reshape(shape)


def image(channels: int, height: int, width: int = 0, mean: float = 0.0, std: float = 1.0) -> Input:
    """Pixels of 0 to 255; ToTensor and Normalize make the author's floats of them."""
    return Input((channels, height, width or height), 0, 255, 1 / 255, (mean,) * channels, (std,) * channels)


def sensor(*shape: int, scale: float = 1 / 32) -> Input:
    """Signed 8-bit samples of a sensor; one unit of them is `scale`."""
    return Input(shape, -128, 127, scale)


@dataclass(frozen=True)
class Entry:
    """A network as its author wrote it.

    name      unique in the corpus
    style     whose way of writing this is
    build     makes the untrained network; the seed is set by `model`
    inputs    one for each argument of forward
    loss      what the author trains with, one for each output: cross_entropy, nll, bce (after a sigmoid),
              bce_logits or mse
    expected  "converts" or "refused"
    reasons   for a refused one: pieces of the lines that cannot be converted, each found once in its file
    slow      real size: not in the quick run
    on        executors that also run it, beside numpy and host
    """

    name: str
    style: str
    build: Callable[[], nn.Module]
    inputs: Input | tuple[Input, ...]
    loss: str | tuple[str, ...] = "cross_entropy"
    expected: str = "converts"
    reasons: tuple[str, ...] = ()
    slow: bool = False
    on: tuple[str, ...] = ()

    def model(self) -> nn.Module:
        """The network with the same random weights each time."""
        torch.manual_seed(0)
        return self.build()

    def all_inputs(self) -> tuple[Input, ...]:
        return self.inputs if isinstance(self.inputs, tuple) else (self.inputs,)

    def codes(self, samples: int = 8, seed: int = 0) -> Tensors:
        """A batch of raw integers, one tensor or one for each input."""
        return self._each([item.codes(samples, seed + i) for i, item in enumerate(self.all_inputs())])

    def extremes(self) -> Tensors:
        """Two samples: every code at its lowest, every code at its highest."""
        ends = ((item, torch.tensor([item.lo, item.hi]).to(item.dtype)) for item in self.all_inputs())
        return self._each([pair.reshape(2, *[1] * len(i.shape)).expand(2, *i.shape) for i, pair in ends])

    def example(self, samples: int = 8) -> Tensors:
        """What the author feeds the network: floats, normalised as `scaling` says."""
        pairs = zip(self.all_inputs(), self.each(self.codes(samples)), strict=True)
        return self._each([item.floats(codes) for item, codes in pairs])

    def source(self) -> Path:
        """The file that holds the network."""
        code = getattr(self.build, "__code__", None)
        named = code.co_filename if code else importlib.import_module(self.build.__module__).__file__
        return Path(str(named))

    def lines(self) -> dict[str, int]:
        """The line of each of `reasons` in its file, outside quotes; ValueError unless it is found once."""
        text = list(enumerate(self.source().read_text(encoding="utf-8").splitlines(), 1))
        found = {
            part: [n for n, line in text if part in line and f'"{part}"' not in line] for part in self.reasons
        }
        wrong = {part: numbers for part, numbers in found.items() if len(numbers) != 1}
        if wrong:
            raise ValueError(f"{self.name}: not on one line of {self.source().name}: {wrong}")
        return {part: numbers[0] for part, numbers in found.items()}

    @staticmethod
    def each(tensors: Tensors) -> tuple[Tensor, ...]:
        return tensors if isinstance(tensors, tuple) else (tensors,)

    def _each(self, tensors: Sequence[Tensor]) -> Tensors:
        return tuple(tensors) if isinstance(self.inputs, tuple) else tensors[0]


def entries(folder: Path = HERE) -> list[Entry]:
    """Every entry of the files in `folder` that have ENTRIES, in the order of file names."""
    modules = [_module(path) for path in sorted(folder.glob("[a-z]*.py")) if "ENTRIES" in path.read_text()]
    return [entry for module in modules for entry in getattr(module, "ENTRIES", ())]


def _module(path: Path) -> ModuleType:
    if path.parent == HERE:
        return importlib.import_module(f"tests.corpus.{path.stem}")
    name = f"{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    importlib.import_module("sys").modules[name] = module
    spec.loader.exec_module(module)
    return module
