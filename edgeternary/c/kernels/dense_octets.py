"""dense without DSP instructions: bytes w + 128, a product each; see c/products.py."""

from edgeternary.c.product_kernel import DenseProducts
from edgeternary.c.product_ways import OCTETS


class DenseOctets(DenseProducts):
    name = "dense_octets"
    code = 450
    way = OCTETS
