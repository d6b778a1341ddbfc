"""Inputs near the place of a table, so that the wires of an FPGA are short."""

import torch
from torch import Tensor


def nearest(inputs: Tensor, near: int, picture: tuple[int, int], tables: int, sweeps: int) -> Tensor:
    """int64 (tables, min(near, n)): those of `inputs` (n,) that lie nearest to each table, in random order.

    Input i lies at pixel i mod H * W of the picture (H, W). Distance is max(|dy|, |dx|); chance decides
    between inputs at the same distance.
    """
    height, width = picture
    pixels = inputs % (height * width)
    y, x = pixels // width, pixels % width
    at = places(pixels, picture, tables, sweeps)
    rows = []
    for part in at.split(256):  # 256 tables at a time, for memory
        distance = torch.maximum((part[:, :1] // width - y).abs(), (part[:, :1] % width - x).abs())
        drawn = distance + torch.rand(distance.shape) * 0.5
        found = drawn.topk(min(near, len(inputs)), largest=False).indices
        rows.append(found.gather(1, torch.rand(found.shape).argsort(1)))
    return inputs[torch.cat(rows)]


def places(pixels: Tensor, picture: tuple[int, int], tables: int, sweeps: int) -> Tensor:
    """int64 (tables, 1): a pixel for each table, one of `pixels`.

    The places sweep over the pixels in Z-order, so that neighbours in a group, which are summed first, lie
    near each other.
    """
    height, width = picture
    order = z_order(height, width)
    present = torch.zeros(height * width, dtype=torch.bool)
    present[pixels] = True
    order = order[present[order]]
    step = torch.arange(tables) * sweeps % tables
    return order[step * len(order) // tables][:, None]


def z_order(height: int, width: int) -> Tensor:
    """int64 (height * width,): pixels in the order of a Z-curve, by the interleaved bits of y and x."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    code = torch.zeros_like(y)
    for bit in range(max(height, width).bit_length()):
        code |= (y >> bit & 1) << (2 * bit + 1) | (x >> bit & 1) << (2 * bit)
    return code.flatten().argsort()
