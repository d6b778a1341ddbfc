"""conv2d without DSP instructions: words of two weights, two bytes a weight; see `products.words`."""

from edgeternary.c.products.kernel import Conv2dProducts
from edgeternary.c.products.ways import WORDS


class Conv2dWords(Conv2dProducts):
    name = "conv2d_words"
    code = 720
    way = WORDS
