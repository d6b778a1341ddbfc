"""A user's float model as a quantised one that answers nearly the same: train it further, then lower it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from edgeternary import late
from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.converter import Converter
from edgeternary.nn.converting.fit import correlation, fit
from edgeternary.nn.converting.heads import find_heads
from edgeternary.nn.converting.observe import check_same, observed
from edgeternary.nn.converting.prepare import prepared
from edgeternary.nn.converting.report import Refusal, Refused, Report
from edgeternary.nn.converting.rewrite import rewrite
from edgeternary.nn.converting.trace import trace
from edgeternary.nn.converting.values import Codes
from edgeternary.nn.example import check_example
from edgeternary.nn.input_spec import InputSpec
from edgeternary.nn.levels import levels

Kind = str | int
DRY = 2  # samples of the dry run


class Converted(fx.GraphModule):
    """A converted model. report: what became of each layer; specs: what the codes of each input mean."""

    report: Report
    specs: tuple[InputSpec, ...]

    def __deepcopy__(self, memo: dict[int, Any]) -> Converted:
        made: Any = super().__deepcopy__(memo)
        made.__class__, made.report, made.specs = type(self), self.report, self.specs
        return made


def convert(
    model: nn.Module,
    example: Tensor | Sequence[Tensor],
    *,
    weights: Kind | Mapping[str, Kind] = "ternary",
    activations: Kind = 2,
    inputs: InputSpec | Sequence[InputSpec] | None = None,
    quiet: bool = False,
    check: bool = True,
) -> Converted:
    """A quantised model that starts from the weights of `model`; the report says what each layer became.

    example: a batch of raw integer codes, as the converted model takes them, (N, C, ...), or a tuple of them
    for a model of several inputs; a few hundred samples of real data. It sets batch-norms, step sizes and
    scales so that the new model answers as nearly as it can to the float one.
    inputs: what a code means to the float model (pixels that it takes normalised, say), one InputSpec for
    each input; without it the float model takes the codes themselves.
    weights: "ternary", "binary", N for intN, ...; or {pattern of layer paths: kind}, the first that matches.
    activations: "bipolar", "ternary", "uintN", "intN", or N for uintN; what is signed gets as many bits.

    The result has `report`, printed on stderr unless `quiet`. check: lower the result once, so that
    everything that lowering would refuse after training is said now.

    Refused (an EdgeTernaryError) with every reason at once, each with file and line of the model's code, for
    what has no integer form.
    """
    report = inspect(model, example, weights=weights, activations=activations, inputs=inputs, check=check)
    if isinstance(report, Report):
        raise Refused(type(model).__name__, report)
    if not quiet:
        print(report.report, file=sys.stderr)
    return report


def inspect(
    model: nn.Module,
    example: Tensor | Sequence[Tensor],
    *,
    weights: Kind | Mapping[str, Kind] = "ternary",
    activations: Kind = 2,
    inputs: InputSpec | Sequence[InputSpec] | None = None,
    check: bool = True,
) -> Converted | Report:
    """As convert(), but prints nothing; for a model that is refused the report is the result."""
    levels(activations)
    report = Report()
    batches = [example] if isinstance(example, Tensor) else list(example)
    codes, specs = _inputs(batches, inputs)
    try:
        return _converted(model, batches, codes, specs, (weights, activations), report, check)
    except Refusal as refusal:
        report.refusals.append(refusal)
        return report


def _inputs(
    batches: Sequence[Tensor], inputs: InputSpec | Sequence[InputSpec] | None
) -> tuple[list[Tensor], tuple[InputSpec, ...]]:
    given = [inputs] * len(batches) if inputs is None or isinstance(inputs, InputSpec) else list(inputs)
    if len(given) != len(batches):
        raise EdgeTernaryError(
            f"there are {len(given)} InputSpecs for {len(batches)} inputs",
            "each input has one",
            "give one for each",
        )
    for batch in batches:
        if isinstance(batch, Tensor) and batch.is_floating_point() and not torch.equal(batch, batch.round()):
            raise EdgeTernaryError(
                "the example holds fractions",
                "inputs are integer codes, and nothing says what a code means",
                'spec = nn.InputSpec.from_data(x, "int8"), or for pixels InputSpec.normalized(mean, std); '
                "model = nn.convert(model, spec.codes(x), inputs=spec); train on spec.codes(x) too",
            )
    codes = [check_example(batch) for batch in batches]
    return codes, tuple(spec or InputSpec.raw(x) for spec, x in zip(given, codes, strict=True))


def _converted(
    model: nn.Module, batches: list[Tensor], codes: list[Tensor], specs: tuple[InputSpec, ...],
    kinds: tuple[Any, Kind], report: Report, check: bool,
) -> Converted | Report:  # fmt: skip
    values = [spec.values(x) for spec, x in zip(specs, codes, strict=True)]
    training = model.training
    plain = prepared(model, values, report).train(training)
    traced = trace(plain, values, report)
    rewrite(traced)
    seen = observed(traced, values)
    b = Builder(traced, seen, kinds[0], kinds[1], report)
    heads = find_heads(traced, seen, report)
    start: list[Codes] = []
    for node in [n for n in traced.graph.nodes if n.op == "placeholder"]:
        if len(start) == len(codes):
            break
        x, spec = codes[len(start)], specs[len(start)]
        affine = spec.affine(x)
        given = b.graph.placeholder(str(node.target))
        if batches[len(start)].dtype != torch.float32:
            given = b.graph.call_method("float", (given,))  # uint8 images, say, go in as they are
        start.append(Codes(given, levels(spec.type), affine=affine))
    converter = Converter(b, heads)
    converter.run(start)
    if report.refusals:
        return report
    check_same(traced, seen, plain, values)
    made = Converted(nn.ModuleDict(), b.graph) if not b.layers else _module(b, type(model).__name__)
    made.graph.eliminate_dead_code()
    made.graph.lint()
    made.delete_all_unused_submodules()
    made.recompile()
    made.train()
    fit(made, batches, b)
    made.train(training)
    made.report, made.specs = report, specs
    report.correlation = correlation(made.eval()(*batches), [seen[node].values for node in converter.ends])
    made.train(training)
    if check:
        _dry_run(made, codes, b)
    return report if report.refusals else made


def _module(b: Builder, name: str) -> Converted:
    root: dict[str, Any] = dict(b.layers)
    return Converted(root, b.graph, class_name=name)


def _dry_run(made: Converted, codes: list[Tensor], b: Builder) -> None:
    """Lowers the model as it is, so that nothing is refused for the first time after training."""
    example = tuple(x[:DRY] for x in codes)
    while True:
        try:
            late.lower(made, example[0] if len(example) == 1 else example)
            return
        except EdgeTernaryError as error:
            layer, needed = getattr(error, "layer", None), getattr(error, "needed", None)
            if layer is not None and needed is not None and _raised(made, layer, needed):
                continue
            place = next((w for path, w in b.where.items() if f"'{path}'" in error.what), "")
            made.report.refusals.append(Refusal(error.what, error.why, error.remedy, place))
            return


def _raised(made: Converted, path: str, needed: int) -> bool:
    """Raises the bound of a Requantize; False where that was tried already."""
    layer: Any = made.get_submodule(path)
    bound = 1 << (needed - 1).bit_length()
    if layer.bound >= bound:
        return False
    layer.bound = bound
    return True
