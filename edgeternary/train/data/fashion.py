"""Fashion-MNIST: 60,000 + 10,000 grey pictures of clothes, 28x28, 10 classes."""

import os
from pathlib import Path

from edgeternary.train.data.core import Data, Place
from edgeternary.train.data.idx import read_images

FASHION_MNIST_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # Debian package dataset-fashion-mnist
FASHION_MNIST = "Fashion-MNIST, (c) 2017 Zalando SE, MIT licence"
FASHION_MNIST_LABELS = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
REMEDY = "apt install dataset-fashion-mnist, or set EDGETERNARY_FASHION_MNIST to the IDX files' folder"


def fashion_mnist(folder: Place = None, validation: int = 5000) -> Data:
    """Fashion-MNIST from `folder`, EDGETERNARY_FASHION_MNIST or the Debian package; the last images validate.

    EdgeTernaryError if IDX files are missing or damaged.
    """
    base = Path(folder or os.environ.get("EDGETERNARY_FASHION_MNIST") or FASHION_MNIST_FOLDER)
    return read_images(FASHION_MNIST, base, FASHION_MNIST_LABELS, validation, REMEDY)
