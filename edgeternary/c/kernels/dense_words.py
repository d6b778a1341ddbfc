"""dense without DSP instructions: words of two weights, two bytes a weight; see c/products.py."""

from edgeternary.c.product_kernel import DenseProducts
from edgeternary.c.product_ways import WORDS


class DenseWords(DenseProducts):
    name = "dense_words"
    code = 450
    way = WORDS
