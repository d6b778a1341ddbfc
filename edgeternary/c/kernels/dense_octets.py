"""dense without DSP instructions: bytes w + 128, a product each; see `products.words`."""

from edgeternary.c.products.kernel import DenseProducts
from edgeternary.c.products.ways import OCTETS


class DenseOctets(DenseProducts):
    name = "dense_octets"
    code = 450
    way = OCTETS
