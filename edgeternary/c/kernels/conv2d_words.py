"""conv2d without DSP instructions: words of two weights, two bytes a weight; see c/products.py."""

from edgeternary.c.product_kernel import Conv2dProducts
from edgeternary.c.product_ways import WORDS


class Conv2dWords(Conv2dProducts):
    name = "conv2d_words"
    code = 720
    way = WORDS
