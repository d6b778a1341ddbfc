"""Writes what ships with trained models: test samples, torch's answers, and the mismatch count.

    python -m edgeternary.zoo.record [NAME ...]      (default: every model of the zoo)

First copy NAME.et, NAME.json and NAME.safetensors to zoo/nets, and NAME.toml to zoo/recipes.
"""

import json
import sys
from collections.abc import Sequence

import numpy as np

from edgeternary import zoo
from edgeternary.ops.sizes import sizes
from edgeternary.run import run
from edgeternary.zoo.check import check, full_test_set

STORED = (np.int8, np.int16, np.int32)


def record(name: str) -> None:
    """Writes the logits and the card of model `name`, and its samples if they do not exist yet."""
    path = zoo.samples_path(zoo.data_set(name))
    if not path.is_file():
        images, labels = full_test_set(name)
        path.parent.mkdir(exist_ok=True)
        np.savez_compressed(path, images=images[: zoo.SAMPLES], labels=labels[: zoo.SAMPLES].astype(np.uint8))
    record_logits(name)
    card = zoo.card(name)
    card |= {"mismatches_torch": check(name)["mismatches_torch"], **sizes(zoo.load(name))}
    zoo.file(name, "json").write_text(json.dumps(card, indent=2) + "\n")


def record_logits(name: str) -> None:
    """Stores torch's logits of the shipped samples as integers of the narrowest type that holds them.

    The executor proves that logits = integers * logit_scale in float32.
    """
    graph = zoo.load(name)
    codes = run(graph, zoo.images(name)[0], on="torch").outputs
    narrow = next(t for t in STORED if np.iinfo(t).min <= codes.min() and codes.max() <= np.iinfo(t).max)
    path, scale = zoo.file(name, "logits.npz"), graph.meta.of_output(graph.output).one_scale("the zoo")
    np.savez_compressed(path, codes=codes.astype(narrow), scale=np.float32(scale))


def main(names: Sequence[str]) -> None:
    """Records the models `names`; all models if it is empty."""
    for name in names or zoo.names():
        record(name)
        print(name, zoo.card(name)["mismatches_torch"], "mismatches")


if __name__ == "__main__":
    main(sys.argv[1:])
