"""conv2d without DSP instructions: nibbles that a mask spreads, half a byte a weight; see `words`."""

from edgeternary.c.products.kernel import Conv2dProducts
from edgeternary.c.products.ways import NIBBLES


class Conv2dNibbles(Conv2dProducts):
    name = "conv2d_nibbles"
    code = 1000
    way = NIBBLES
