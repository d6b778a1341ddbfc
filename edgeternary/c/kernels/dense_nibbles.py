"""dense without DSP instructions: nibbles that a mask spreads, half a byte a weight; see c/products.py."""

from edgeternary.c.product_kernel import DenseProducts
from edgeternary.c.product_ways import NIBBLES


class DenseNibbles(DenseProducts):
    name = "dense_nibbles"
    code = 620
    way = NIBBLES
