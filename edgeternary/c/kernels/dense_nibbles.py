"""dense without DSP instructions: nibbles that a mask spreads, half a byte a weight; see `words`."""

from edgeternary.c.products.kernel import DenseProducts
from edgeternary.c.products.ways import NIBBLES


class DenseNibbles(DenseProducts):
    name = "dense_nibbles"
    code = 620
    way = NIBBLES
