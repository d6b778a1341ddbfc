"""The zoo as rows."""

from typing import Any

from edgeternary import zoo
from edgeternary.ops.sizes import sizes
from edgeternary.zoo.seeds import spread_of

WORDS = ("weights_bits", "activations_bits", "weights", "packed_bytes")


def zoo_row(name: str) -> dict[str, Any]:
    """name, data, sizes of the graph, and what the card says: None where it says nothing.

    accuracy, samples    of the integer graph on the whole test set
    float_accuracy       of the float network of the same shape, trained alike
    seed                 of the model that ships
    seeds, mean_accuracy, spread    runs of its recipe, and the mean and standard deviation of their accuracy
    mismatches_torch     test samples for which any output of torch's eval mode differs from the graph's
    """
    card, figures = zoo.card(name), sizes(zoo.load(name))
    return {
        "name": name,
        "data": zoo.data_set(name),
        **{word: figures[word] for word in WORDS},
        "accuracy": card.get("test_accuracy"),
        "float_accuracy": card.get("float_accuracy"),
        "seed": card.get("seed"),
        **spread_of(card),
        "samples": card.get("test_samples"),
        "mismatches_torch": card.get("mismatches_torch"),
    }


def zoo_rows() -> list[dict[str, Any]]:
    """One row a model, by name."""
    return [zoo_row(name) for name in zoo.names()]
