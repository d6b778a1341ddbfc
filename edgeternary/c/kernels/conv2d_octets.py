"""conv2d without DSP instructions: bytes w + 128, a product each; see `products.words`."""

from edgeternary.c.products.kernel import Conv2dProducts
from edgeternary.c.products.ways import OCTETS


class Conv2dOctets(Conv2dProducts):
    name = "conv2d_octets"
    code = 860
    way = OCTETS
