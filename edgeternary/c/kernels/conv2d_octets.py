"""conv2d without DSP instructions: bytes w + 128, a product each; see c/products.py."""

from edgeternary.c.product_kernel import Conv2dProducts
from edgeternary.c.product_ways import OCTETS


class Conv2dOctets(Conv2dProducts):
    name = "conv2d_octets"
    code = 860
    way = OCTETS
