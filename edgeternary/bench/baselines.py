"""The opponent: CMSIS-NN int8, instructions per multiply-accumulate of whole layers.

Source: CMSIS-NN head of July 2026 with CMSIS_NN_USE_REQUANTIZE_INLINE_ASSEMBLY, gcc 14.2 -O3, counted under
an instruction-counting emulator, im2col, requantisation and clamping included. Figures of the M0 stand for
the M0+ (the same instructions), those of the M4 for the M7. There are none for the M33; those of the M55 are
its Helium kernels.
"""

from __future__ import annotations

from math import log

from edgeternary.bench.layers import Layer, parse

SOURCE = "CMSIS-NN int8 (July 2026), gcc 14.2 -O3, instructions of the whole layer"
COLUMNS = {"cortex-m0plus": 0, "cortex-m3": 1, "cortex-m4": 2, "cortex-m7": 2, "cortex-m55": 3}  # of LAYERS
CORES = tuple(COLUMNS)

# layer: instructions per MAC on M0+, M3, M4 and M7, M55; bytes of weights
LAYERS: dict[str, tuple[float, float, float, float, int]] = {
    "dense:784-256": (6.13, 3.39, 1.94, 0.37, 200704),
    "dense:256-128": (6.41, 3.53, 2.07, 0.41, 32768),
    "dense:128-10": (7.16, 4.03, 2.36, 0.70, 1280),
    "conv2d:28x28x1-16,k3": (21.6, 10.4, 10.3, 3.72, 144),
    "conv2d:14x14x16-32,k3": (7.14, 3.05, 2.13, 0.32, 4608),
    "conv2d:7x7x32-64,k3": (6.64, 2.80, 1.87, 0.24, 18432),
    "conv2d:49x10x1-64,k10x4,s2": (9.45, 4.22, 3.44, 0.89, 2560),
    "depthwise:25x5x64,k3": (34.8, 9.43, 7.98, 2.37, 576),
    "pointwise:25x5x64-64": (7.55, 3.13, 2.07, 0.38, 4096),
    "conv2d:32x32x16-16,k3": (7.57, 3.32, 2.32, 0.39, 2304),
}

MLP = ("dense:784-256", "dense:256-128", "dense:128-10")

# network: instructions of one inference by core. MLP: the sum of its layers; DS-CNN: its convolutions only.
NETS: dict[str, dict[str, float]] = {
    "mlp": {
        core: sum(LAYERS[name][column] * LAYERS[name][4] for name in MLP) for core, column in COLUMNS.items()
    },
    "resnet-8": {"cortex-m0plus": 90.74e6, "cortex-m4": 27.39e6, "cortex-m7": 27.39e6},
    "ds-cnn": {"cortex-m4": 7.65e6, "cortex-m7": 7.65e6},
}


def per_mac(layer: Layer, core: str) -> tuple[float | None, str]:
    """Instructions per MAC of the published layer that is nearest to `layer`, and its name."""
    nearest = min(LAYERS, key=lambda name: _distance(parse(name), layer))
    return LAYERS[nearest][COLUMNS[core]] if core in COLUMNS else None, nearest


def _family(layer: Layer) -> str:
    """Layers whose int8 kernels spend their time alike."""
    if layer.kind in ("dense", "depthwise"):
        return layer.kind
    if layer.kernel == (1, 1):
        return "pointwise"
    return "first" if layer.shape[-1] <= 3 else "conv2d"


def _distance(known: Layer, layer: Layer) -> tuple[bool, float]:
    """Another family is further than anything; then the ratios of inputs and outputs an output."""
    ratios = abs(log(known.taps / layer.taps)) + abs(log(known.out / layer.out))
    return _family(known) != _family(layer), ratios
