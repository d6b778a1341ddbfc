"""What a user does with a network of his own: convert, train a step, lower, compare executors with torch."""

from __future__ import annotations

import inspect
import re
import time
import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import edgeternary
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Value
from edgeternary.toolchains import find
from tests.corpus.entry import Entry, Input

STAGES = ("converts", "trains", "lowers")
QUICK = {"opt_level": "0", "count": 0}  # what is compared is the answer, not the speed
PLACE = re.compile(r"[\w/.-]+\.py:\d+")


@dataclass
class Row:
    """What became of one entry.

    stages   stage or executor -> True or False; stages after the first failure are absent
    refusal  the text of the EdgeTernaryError that ended it
    crash    the last line of any other exception, and where it was raised
    wrong    what is wrong with a refusal or with an answer
    """

    entry: Entry
    stages: dict[str, bool] = field(default_factory=dict)
    refusal: str = ""
    crash: str = ""
    wrong: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether what was expected of the entry happened."""
        return (
            not self.wrong
            and not self.crash
            and all(self.stages.values()) == (self.entry.expected == "converts")
        )

    @property
    def failure(self) -> str:
        return self.wrong or self.crash or self.refusal


def attempt(entry: Entry, on: Iterable[str] = ("numpy", "host"), dry: bool = True) -> Row:
    """Convert, train one step, lower, and compare every executor of `on` with torch.

    dry  convert lowers the new model once, and lower compares with torch, as they do for a user
    """
    row, start = Row(entry), time.perf_counter()
    stage = ""

    def passed(name: str, work: Callable[[], Any]) -> Any:
        nonlocal stage
        stage = name
        made = work()
        row.stages[name] = True
        return made

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = passed("converts", lambda: convert(entry, dry=dry))
            passed("trains", lambda: train(entry, model))
            graph = passed("lowers", lambda: lower(entry, model, dry))
            for name in on:
                passed(name, lambda name=name: compare(entry, model, graph, name))
        except EdgeTernaryError as error:
            row.refusal = str(error)
        except AssertionError as error:
            row.wrong = str(error)
        except Exception as error:
            row.crash = f"{stage}: {type(error).__name__}: {_first_line(error)} ({_place(error)})"
    if row.failure:
        row.stages[stage] = False
    if row.refusal and entry.expected == "refused":
        row.wrong = refused_well(entry, stage, row.refusal)
    if entry.expected == "refused" and not row.failure:
        row.wrong = "it is not refused"
    row.seconds = time.perf_counter() - start
    return row


def convert(
    entry: Entry,
    model: nn.Module | None = None,
    weights: str | int = "ternary",
    activations: int = 4,
    dry: bool = True,
) -> nn.Module:
    """`edgeternary.nn.convert` with the signature that it has; of `model`, or of a new one."""
    given, model, example = edgeternary.nn.convert, model or entry.model(), entry.codes(16)
    if not takes_specs():
        return given(model, weights=weights, activations=activations, example=example)
    specs = tuple(spec(item) for item in entry.all_inputs())
    several = isinstance(entry.inputs, tuple)
    options = {"inputs": specs if several else specs[0], "quiet": True, "check": dry}
    return given(model, example, weights=weights, activations=activations, **options)


def takes_specs() -> bool:
    """Whether `convert` is told what a code means to the float model."""
    return "inputs" in inspect.signature(edgeternary.nn.convert).parameters


def spec(item: Input) -> Any:
    """The author's normalisation as an InputSpec: value = (code - zero) * scale."""
    wide = isinstance(item.mean, tuple)
    means, stds = (item.mean, item.std) if wide else ((item.mean,), (item.std,))
    scales = tuple(item.scale / std for std in stds)
    zeros = tuple(mean / item.scale for mean in means)
    axis = item.axis + 1 if item.axis + 1 < len(item.shape) or item.axis == 0 else -1
    numbers = (scales, zeros) if wide else (scales[0], zeros[0])
    return edgeternary.nn.InputSpec(code_type(item), *numbers, axis=axis)


def train(entry: Entry, model: nn.Module) -> None:
    """One step of Adam; AssertionError unless every weight gets a finite gradient."""
    torch.manual_seed(1)
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    total = loss(entry, outputs(model(*Entry.each(entry.codes(8, seed=1)))))
    total.backward()
    unused = without_gradient(entry)
    for name, parameter in model.named_parameters():
        if parameter.dim() < 2 or not parameter.requires_grad or name in unused:
            continue
        assert parameter.grad is not None, f"{name} has no gradient"
        assert bool(torch.isfinite(parameter.grad).all()), f"the gradient of {name} is not finite"
    optimizer.step()
    model.eval()


def without_gradient(entry: Entry) -> set[str]:
    """Weights that the author's own model does not train: frozen ones, and those that forward never reads."""
    model = entry.model().eval()
    total = loss(entry, outputs(model(*Entry.each(entry.example(2)))))
    if total.requires_grad:
        total.backward()
    return {name for name, parameter in model.named_parameters() if parameter.grad is None}


def outputs(answer: Any) -> tuple[Tensor, ...]:
    """The tensors of what a forward returns, in order."""
    if isinstance(answer, dict):
        return tuple(answer.values())
    return tuple(answer) if isinstance(answer, tuple | list) else (answer,)


def loss(entry: Entry, answers: tuple[Tensor, ...]) -> Tensor:
    """The author's loss on random targets; softmax and sigmoid at the end belong to the loss by now."""
    kinds = entry.loss if isinstance(entry.loss, tuple) else (entry.loss,)
    total = torch.zeros(())
    for kind, answer in zip(kinds, answers, strict=False):
        if kind in ("cross_entropy", "nll"):
            classes = answer.shape[1]
            scores = answer.movedim(1, -1).reshape(-1, classes)
            total = total + F.cross_entropy(scores, torch.randint(classes, (len(scores),)))
        elif kind in ("bce", "bce_logits"):
            total = total + F.binary_cross_entropy_with_logits(
                answer, torch.rand(answer.shape, dtype=answer.dtype)
            )
        else:
            total = total + F.mse_loss(answer, torch.rand(answer.shape, dtype=answer.dtype))
    return total


def lower(entry: Entry, model: nn.Module, check: bool = True) -> Graph:
    """`edgeternary.lower`, with the types of the raw integers unless it takes those from the model."""
    codes = entry.codes(4)
    if inspect.signature(edgeternary.lower).parameters["input_type"].default != "uint8":
        return edgeternary.lower(model, codes, check=check)
    types = [code_type(item) for item in entry.all_inputs()]
    names = list(inspect.signature(entry.model().forward).parameters)
    several = isinstance(entry.inputs, tuple)
    return edgeternary.lower(model, codes, input_type=dict(zip(names, types)) if several else types[0])


def code_type(item: Input) -> str:
    """The type that a device would have: uint8, int8, or int16 beyond them."""
    if item.lo >= 0:
        return "uint8" if item.hi < 256 else "uint16"
    return "int8" if item.lo >= -128 and item.hi < 128 else "int16"


def compare(entry: Entry, model: nn.Module, graph: Graph, on: str) -> None:
    """AssertionError unless `on` answers with torch's numbers, complete, on random and extreme codes."""
    pairs = zip(
        Entry.each(entry.codes(2 if on == "hdl" else 4, seed=2)), Entry.each(entry.extremes()), strict=True
    )
    codes = [torch.cat(pair) for pair in pairs]
    with torch.no_grad():
        wanted = outputs(model.eval()(*codes))
    found = answers(graph, codes, on)
    assert len(found) == len(wanted), f"{on} has {len(found)} outputs, torch {len(wanted)}"
    for index, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        torch_rows = {
            "as in torch": theirs,
            "channels last": theirs.movedim(1, -1) if theirs.dim() > 2 else theirs,
        }
        flat = ours.reshape(len(codes[0]), -1)
        right = [np.array_equal(flat, rows.reshape(len(flat), -1).numpy()) for rows in torch_rows.values()]
        assert any(right), f"output {index} on {on} differs from torch"


def answers(graph: Graph, codes: list[Tensor], on: str) -> list[np.ndarray]:
    """The outputs of an executor, as floats: integers times their scale."""
    rows = [to_graph(tensor, value) for tensor, value in zip(codes, graph.inputs, strict=True)]
    found = graph.run(rows[0] if len(rows) == 1 else tuple(rows), on=on, options=options(on)).outputs
    named = found if isinstance(found, dict) else {graph.outputs[0]: found}
    scales = {name: np.float32(graph.meta.of_output(name).logit_scale) for name in named}
    return [array.astype(np.float32) * scales[name] for name, array in named.items()]


def options(on: str) -> dict[str, Any]:
    """The compiler that answers soonest, where there is one."""
    tool = {"host": "gcc", "cortex-m4": "arm-none-eabi-gcc"}.get(on)
    return {**QUICK, "compiler": "gcc" if find(tool).found else "auto"} if tool else {}


def to_graph(codes: Tensor, value: Value) -> np.ndarray:
    """Codes as torch has them in the shape of a graph's input: channels last, or as they are."""
    plain = [n for n in value.shape if n != 1]
    for rows in (codes.movedim(1, -1), codes):
        if [n for n in rows.shape[1:] if n != 1] == plain:
            return rows.reshape(len(codes), *value.shape).numpy().astype(np.int32)
    raise AssertionError(f"the graph's input is {value.shape}, the model's {tuple(codes.shape[1:])}")


def refused_well(entry: Entry, stage: str, text: str) -> str:
    """What a refusal lacks: it comes from convert, and names file and line of each reason. "" if nothing."""
    if stage != "converts":
        return f"it is refused by {stage} in place of convert: {text}"
    named = {place.rpartition("/")[2] for place in PLACE.findall(text)}
    wanted = {part: f"{entry.source().name}:{line}" for part, line in entry.lines().items()}
    missing = [f"{place} ({part})" for part, place in wanted.items() if place not in named]
    return f"the refusal does not name {', '.join(missing)}: {text}" if missing else ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno}"
