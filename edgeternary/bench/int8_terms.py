"""What the instructions of an int8 layer grow with, as CMSIS-NN computes it.

    instructions = sum over terms of coefficient * count

`int8_fits.toml` has the coefficients of each family of layers and core.
"""

from edgeternary.bench.layers import Layer

BLOCK = 4  # inputs of one round of the inner loop


def family(layer: Layer) -> str:
    """Layers whose int8 kernels spend their time alike."""
    if layer.kind == "depthwise":
        return "depthwise" if layer.kernel == (3, 3) and max(layer.pad) <= 1 else "depthwise_other"
    if layer.kind == "dense":
        return "dense"
    if layer.kernel == (1, 1) and layer.stride == (1, 1):
        return "pointwise"
    return "conv1d" if layer.shape[0] == layer.kernel[0] == 1 else "conv2d"


def counts(layer: Layer) -> dict[str, int]:
    """{term: count} of a layer.

    macs     multiply-accumulates, padding included;  inside  those of them that read the image
    outputs, pixels  of the result
    places   pixels under all windows;  window  inputs under them
    rest     of inputs that no whole block holds, for each output
    odd_outputs, odd_pixels  multiply-accumulates of what two by two outputs leave over
    channels channels that no whole block holds, for each pixel;  taps  for each place
    call     1
    """
    pixels, size = layer.pixels, layer.kernel[0] * layer.kernel[1]
    left = layer.shape[-1] % BLOCK
    return {
        "macs": layer.macs,
        "inside": _inside(layer),
        "outputs": pixels * layer.out,
        "pixels": pixels,
        "places": pixels * size,
        "window": pixels * layer.taps,
        "rest": layer.taps % BLOCK * pixels * layer.out,
        "odd_outputs": layer.out % 2 * pixels * layer.taps,
        "odd_pixels": pixels % 2 * layer.taps * layer.out,
        "channels": left * pixels,
        "taps": left * pixels * size,
        "call": 1,
    }


def _inside(layer: Layer) -> int:
    if layer.kind == "dense":
        return layer.macs
    found = layer.taps // (layer.kernel[0] * layer.kernel[1]) * layer.out
    top, left, bottom, right = layer.pad
    sides = zip(layer.shape, layer.kernel, layer.stride, ((top, bottom), (left, right)), strict=False)
    for size, kernel, stride, (before, after) in sides:
        starts = range(-before, size + after - kernel + 1, stride)
        found *= sum(min(start + kernel, size) - max(start, 0) for start in starts)
    return found
