"""Quantisers by layer: what the keys `weights` and `activations` of a recipe's model may be.

weights = "ternary"                              one kind for all layers
weights = ["ternary", 4, 4, 8]                   a kind for each layer, in order
weights = { conv1 = 8, fc = 8, default = 4 }     a kind by the layer's name
"""

from collections.abc import Mapping, Sequence

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train.lookup import unknown

Kind = str | int
Kinds = Kind | Sequence[Kind] | Mapping[str, Kind]
DEFAULT = "default"


def by_layer(kinds: Kinds, names: Sequence[str], key: str) -> list[Kind]:
    """The kind of each layer of `names`. key: the key of the recipe, for errors.

    EdgeTernaryError for a list of another length, for a table that names an unknown layer or leaves one out,
    and for what is neither a text nor a number.
    """
    if isinstance(kinds, Mapping):
        found = _of_table(kinds, names, key)
    elif isinstance(kinds, str | int):
        found = [kinds] * len(names)
    else:
        found = list(kinds)
        if len(found) != len(names):
            raise EdgeTernaryError(
                f"{key} = {found} has {len(found)} entries",
                f"the model has {len(names)} layers that take one: {', '.join(names)}",
                "give one entry for each of them, or a table by name",
                USAGE,
            )
    for name, kind in zip(names, found, strict=True):
        if not isinstance(kind, str | int) or isinstance(kind, bool):
            raise EdgeTernaryError(
                f"{key} of {name} is {kind!r}", "it must be a number of bits or a name", "correct it", USAGE
            )
    return found


def _of_table(kinds: Mapping[str, Kind], names: Sequence[str], key: str) -> list[Kind]:
    for name in kinds:
        if name not in (*names, DEFAULT):
            raise unknown(f"layer in {key}:", name, [*names, DEFAULT])
    missing = [name for name in names if name not in kinds]
    if missing and DEFAULT not in kinds:
        raise EdgeTernaryError(
            f"{key} has no entry for {', '.join(missing)}",
            "each layer needs a kind",
            f"add it, or add {DEFAULT} = KIND for the other layers",
            USAGE,
        )
    return [kinds[name] if name in kinds else kinds[DEFAULT] for name in names]
