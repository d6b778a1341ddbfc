"""What differs between two reports, in total and layer by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
STATIC = ("weights", "macs", "packed_bytes")  # of the models
LAYERS = {
    "c": ("estimated_cycles", "cycles", "estimated_flash_bytes", "macs", "weights"),
    "fpga": ("luts", "ffs", "ram_blocks", "cycles", "macs", "weights"),
}


def against(first: Document, second: Document) -> dict[str, Any]:
    """The differences `second` - `first`.

    name, target, digest   of the second one
    same_model             whether both are of the same file
    totals                 word, first, second, difference, ratio (second / first; None for 0); sources
    layers                 name, then for each word {first, second, difference}; kernels of C, [first, second]
    """
    kinds = {first["target"]["kind"], second["target"]["kind"]}
    return {
        "name": second["model"]["name"],
        "target": second["target"]["title"],
        "digest": second["model"]["digest"],
        "same_model": first["model"]["digest"] == second["model"]["digest"],
        "totals": _totals(first, second),
        "layers": _layers(first["layers"], second["layers"], kinds),
    }


def _totals(first: Document, second: Document) -> list[dict[str, Any]]:
    own, other = ({row["word"]: row for row in one["figures"]} for one in (first, second))
    rows = []
    for word in dict.fromkeys([*own, *other]):
        sources = [one[word]["source"] if word in one else None for one in (own, other)]
        rows.append(_difference(word, _value(own, word), _value(other, word)) | {"sources": sources})
    models = first["model"], second["model"]
    rows += [_difference(word, *(model[word] for model in models)) | {"sources": []} for word in STATIC]
    shares = [(one["accuracy"] or {}).get("accuracy") for one in (first, second)]
    if any(share is not None for share in shares):
        rows.append(_difference("accuracy", *shares) | {"sources": []})
    return rows


def _value(rows: Mapping[str, Any], word: str) -> Any:
    return rows[word]["value"] if word in rows else None


def _difference(word: str, first: Any, second: Any) -> dict[str, Any]:
    both = first is not None and second is not None
    difference = round(second - first, 6) if both else None
    ratio = round(second / first, 4) if both and first else None
    return {"word": word, "first": first, "second": second, "difference": difference, "ratio": ratio}


def _layers(first: Sequence[Document], second: Sequence[Document], kinds: set[str]) -> list[dict[str, Any]]:
    words = LAYERS[kinds.pop()] if len(kinds) == 1 else ("macs", "weights")
    own, other = ({row["name"]: row for row in rows} for rows in (first, second))
    found = []
    for name in dict.fromkeys([*own, *other]):
        a, b = own.get(name, {}), other.get(name, {})
        row: dict[str, Any] = {"name": name, "there": [name in own, name in other]}
        row |= {word: _difference(word, a.get(word), b.get(word)) for word in words}
        if "kernels" in a or "kernels" in b:
            row["kernels"] = [a.get("kernels", []), b.get("kernels", [])]
        found.append(row)
    return found
