"""A user's float model as a quantised one of the same structure, ready for fine-tuning."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor, fx, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.activations import Activation
from edgeternary.nn.calibrate import calibrate, output_statistics
from edgeternary.nn.conv import Conv1d, Conv2d
from edgeternary.nn.converting.heads import (
    check_biases,
    check_heads,
    is_map_mean,
    is_nonlinear,
    keeps_channels,
)
from edgeternary.nn.converting.pools import LAYERS as POOLS
from edgeternary.nn.converting.pools import POOL_BITS, average, check_pools, pool_of
from edgeternary.nn.converting.trace import free_name, trace
from edgeternary.nn.example import check_example
from edgeternary.nn.linear import Linear, Output, Quantized
from edgeternary.nn.norm import BatchNorm, Requantize
from edgeternary.nn.pool import GlobalAvgPool
from edgeternary.nn.quantizers import levels
from edgeternary.nn.replace import our_batch_norm


def convert(
    model: nn.Module,
    weights: str | int = "ternary",
    activations: str | int = 2,
    example: Tensor | None = None,
) -> nn.Module:
    """A copy of `model` with quantised layers: train it further, then lower it.

    Linear and Conv become quantised ones that start from the float weights, the last Linear an Output; a
    nonlinearity becomes an Activation (a Requantize from 5 bits up), with a batch-norm before it where there
    was none; average pools get a 4-bit quantiser; F.dropout(x, p, self.training) becomes a layer. Paths of
    modules stay. The new model takes raw integer codes: `example`, a batch of them (a few hundred samples),
    sets batch-norm statistics and step sizes; without it they start at defaults.

    EdgeTernaryError for a model that torch.fx cannot trace, or that does other things in train mode than in
    eval mode; for pools with padding, biases that no layer can hold, and a head that would end in a few bits.
    """
    traced = trace(model)
    for check in (check_pools, check_heads, check_biases):
        check(traced)
    example = None if example is None else check_example(example)
    statistics = output_statistics(traced, example) if example is not None else {}
    converter = _Converter(traced, weights, activations, statistics)
    for node in list(traced.graph.nodes):
        converter.visit(node)
    for node in traced.graph.nodes:
        node.meta.clear()  # the old module stack would give torch.export the names of the float layers
    traced.delete_all_unused_submodules()
    traced.graph.lint()
    traced.recompile()
    if example is not None:
        calibrate(traced, example)
    return traced


class _Converter:
    def __init__(
        self, traced: fx.GraphModule, weights: str | int, activations: str | int,
        statistics: dict[str, tuple[Tensor, Tensor]],
    ) -> None:  # fmt: skip
        self.traced, self.weights, self.activations, self.statistics = (
            traced,
            weights,
            activations,
            statistics,
        )
        self.wide = levels(activations).hi - levels(activations).lo > 15
        self.first = True
        self.uses = Counter(str(n.target) for n in traced.graph.nodes if n.op == "call_module")
        linear = [
            n for n in traced.graph.nodes if isinstance(self.module(n), (nn.Linear, nn.Conv1d, nn.Conv2d))
        ]
        self.last = linear[-1] if linear else None

    def module(self, node: fx.Node) -> nn.Module | None:
        return self.traced.get_submodule(str(node.target)) if node.op == "call_module" else None

    def visit(self, node: fx.Node) -> None:
        module = self.module(node) or pool_of(node)
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
            self.replace(node, self.linear(node, module))
            self.first = False
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            self.replace(node, our_batch_norm(module, str(node.target)))
        elif isinstance(module, POOLS):
            self.pool(node, average(module, str(node.target) if node.op == "call_module" else node.name))
        elif is_map_mean(node):
            self.map_mean(node)
        elif is_nonlinear(node, module):
            self.nonlinearity(node)

    def pool(self, node: fx.Node, new: nn.Module) -> None:
        """A layer keeps its path; a function becomes a layer."""
        if node.op == "call_module":
            return self.replace(node, new)
        pooled = self.insert(node.all_input_nodes[0], new, free_name(self.traced, node.name))
        node.replace_all_uses_with(pooled)
        self.traced.graph.erase_node(node)

    def map_mean(self, node: fx.Node) -> None:
        """x.mean((2, 3)) becomes a GlobalAvgPool, flattened but with keepdim."""
        name = free_name(self.traced, node.name)
        last = self.insert(node.all_input_nodes[0], GlobalAvgPool(Activation(POOL_BITS)), name)
        if not node.kwargs.get("keepdim", len(node.args) > 2 and node.args[2]):
            with self.traced.graph.inserting_after(last):
                last = self.traced.graph.call_function(torch.flatten, (last, 1))
        node.replace_all_uses_with(last)
        self.traced.graph.erase_node(node)

    def replace(self, node: fx.Node, new: nn.Module) -> None:
        self.traced.add_submodule(str(node.target), new)

    def linear(self, node: fx.Node, module: nn.Linear | nn.Conv1d | nn.Conv2d) -> Quantized:
        new: Quantized
        if isinstance(module, nn.Linear):
            kind = Output if node is self.last else Linear
            new = kind(module.in_features, module.out_features, self.weights)
        else:
            new = self.convolution(module, str(node.target))
        with torch.no_grad():
            peak = module.weight.abs().amax().clamp_min(1e-12)
            new.weight.copy_(module.weight.reshape(new.weight.shape) / peak)
            if isinstance(new, Output) and module.bias is not None:
                new.bias.copy_(module.bias)
        return new

    def convolution(self, module: nn.Conv1d | nn.Conv2d, path: str) -> Quantized:
        if module.padding_mode != "zeros" or max(module.dilation) > 1 or isinstance(module.padding, str):
            raise EdgeTernaryError(
                f"convolution {path!r} cannot be converted",
                "padding by reflection or by name and dilation have no integer form here",
                "give the padding as numbers, with zeros and without dilation",
            )
        pad_value = -1 if levels(self.activations).gap == 2 and not self.first else 0
        kernel, stride, pad = (
            (int(v[0]), int(v[-1])) for v in (module.kernel_size, module.stride, module.padding)
        )
        channels = module.in_channels, module.out_channels
        if isinstance(module, nn.Conv1d):
            return Conv1d(*channels, kernel[0], stride[0], pad[0], pad_value, module.groups, self.weights)
        return Conv2d(*channels, kernel, stride, pad, pad_value, module.groups, self.weights)

    def nonlinearity(self, node: fx.Node) -> None:
        """node(x) becomes activation(norm(x)); a batch-norm that was there is used, or merged."""
        before = node.args[0]
        assert isinstance(before, fx.Node)
        single = node.op == "call_module" and self.uses[str(node.target)] == 1
        name = str(node.target) if single else f"{node.name}_act"  # a ReLU used twice becomes two activations
        norm = self.module(before)
        if not isinstance(norm, BatchNorm):
            norm = self.new_norm(before)
            if norm is not None and not self.wide:
                before = self.insert(before, norm, f"{name}_norm")
        source, act = before, self.activation(norm)
        if isinstance(act, Requantize) and self.module(before) is norm:
            source = before.all_input_nodes[0]
        new = self.insert(source, act, name)
        node.replace_all_uses_with(new)
        self.traced.graph.erase_node(node)
        if not before.users:
            self.traced.graph.erase_node(before)  # the batch-norm that the Requantize took over

    def activation(self, norm: BatchNorm | None) -> nn.Module:
        if not self.wide or norm is None:
            return Activation(self.activations)
        act = Requantize(norm.weight.shape[0], self.activations)
        act.load_state_dict({**norm.state_dict(), "scale": act.scale})
        return act

    def insert(self, after: fx.Node, module: nn.Module, name: str) -> fx.Node:
        self.traced.add_submodule(name, module)
        with self.traced.graph.inserting_after(after):
            return self.traced.graph.call_module(name, (after,))

    def new_norm(self, source: fx.Node) -> BatchNorm | None:
        """A batch-norm that gives accumulators the mean and deviation of the float outputs."""
        layer = source
        while keeps_channels(layer, self.module(layer)):
            layer = layer.all_input_nodes[0]
        module = self.module(layer)
        if not isinstance(module, Quantized):
            return None
        norm = BatchNorm(module.weight.shape[0])
        mean, deviation = self.statistics.get(source.name, (norm.bias, norm.weight))
        with torch.no_grad():
            norm.bias.copy_(mean)
            norm.weight.copy_(deviation)
        return norm
