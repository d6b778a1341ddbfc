"""conv2d without DSP instructions: nibbles that a mask spreads, half a byte a weight; see c/products.py."""

from edgeternary.c.product_kernel import Conv2dProducts
from edgeternary.c.product_ways import NIBBLES


class Conv2dNibbles(Conv2dProducts):
    name = "conv2d_nibbles"
    code = 1000
    way = NIBBLES
