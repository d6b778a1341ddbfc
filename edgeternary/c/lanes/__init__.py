"""Convolutions and sums on lanes: several pixels in a word, so that one addition adds to each of them."""
