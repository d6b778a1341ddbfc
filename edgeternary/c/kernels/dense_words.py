"""dense without DSP instructions: words of two weights, two bytes a weight; see `products.words`."""

from edgeternary.c.products.kernel import DenseProducts
from edgeternary.c.products.ways import WORDS


class DenseWords(DenseProducts):
    name = "dense_words"
    code = 450
    way = WORDS
