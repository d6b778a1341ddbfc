"""The report as one HTML page: no script, no network, no other file."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from edgeternary.report.html import lanes, words
from edgeternary.report.html.chart import chart
from edgeternary.templating import render

Document = Mapping[str, Any]
FAMILIES = {
    "conv2d": "sum", "dense": "sum", "max_pool": "pool", "sum_pool": "pool", "add": "join", "mul": "join",
    "concat": "join", "argmax": "end",
}  # fmt: skip


def page(found: Document) -> str:
    """HTML of a document, see `report.html.document`."""
    optional = ("measured", "estimates"), ("parts", "steps", "exactness")
    found = {
        **found,
        **{key: _known(found[key]) for key in optional[0]},
        **{key: [_known(row) for row in found[key]] for key in optional[1]},
    }
    return render(
        "report/page/page.html.j2",
        {
            "d": found,
            "hardware": found["target"]["kind"] == "fpga",
            "graph": graph(found),
            "rows": layer_rows(found),
            "kernels": kernels(found),
            "arena": chart(found["arena"]) if found["arena"] and found["arena"]["blocks"] else None,
            "busiest": busiest(found),
            "compared": compared(found),
            "counted": any(row.get("cycles") is not None for row in found["steps"]),
            **{name: getattr(words, name) for name in words.FILTERS},
        },
    )


def _known(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row, with None for any other word."""
    return defaultdict(lambda: None, row)


def graph(found: Document) -> dict[str, Any]:
    """width of the lanes in pixels, height of a row; rows: inputs, states and layers with their lines."""
    model, layers = found["model"], found["layers"]
    sources = [{**v, "what": what} for what in ("input", "state") for v in model[f"{what}s"]]
    names = [*(v["name"] for v in sources), *(row["name"] for row in layers)]
    placed = lanes.rows(names, {row["name"]: row["inputs"] for row in layers})
    width, drawn = lanes.drawing(placed)
    nodes: list[dict[str, Any]] = [
        {
            "name": v["name"], "family": v["what"], "index": None,
            "what": v["what"] + (f", next from {v['next']}" if v["what"] == "state" else ""),
            "outputs": [{"shape": v["shape"], "type": v["type"]}], "inputs": [], "weights": 0, "macs": 0,
        }
        for v in sources
    ]  # fmt: skip
    nodes += [
        {
            "name": row["name"], "family": FAMILIES.get(row["kind"], "other"), "index": index,
            "what": " + ".join(row["ops"]), "outputs": row["outputs"], "inputs": row["inputs"],
            "weights": row["weights"], "macs": row["macs"],
        }
        for index, row in enumerate(layers)
    ]  # fmt: skip
    return {
        "width": width,
        "height": lanes.HEIGHT,
        "rows": [{**node, **lines} for node, lines in zip(nodes, drawn, strict=True)],
    }


def layer_rows(found: Document) -> list[dict[str, Any]]:
    """Layers with the share of cycles that a bar shows; counted ones where all were counted."""
    layers: Sequence[dict[str, Any]] = found["layers"]
    hardware = found["target"]["kind"] == "fpga"
    word = "cycles" if hardware or all(row["cycles"] is not None for row in layers) else "estimated_cycles"
    values = [row[word] or 0 for row in layers]
    whole = max(values, default=0) if hardware else sum(values)
    return [
        {**row, "index": index, "share": value / whole if whole else 0.0, "error": _error(row)}
        for index, (row, value) in enumerate(zip(layers, values, strict=True))
    ]


def _error(row: Mapping[str, Any]) -> float | None:
    """Of the estimate: estimated / counted cycles - 1."""
    if not row.get("cycles") or row.get("estimated_cycles") is None:
        return None
    return float(row["estimated_cycles"] / row["cycles"] - 1)


def kernels(found: Document) -> list[dict[str, Any]]:
    """For each layer its steps, and each other kernel in its best layouts, or with the reason against it."""
    made = []
    for index, layer in enumerate(found["layers"]):
        rows = [row for row in found["candidates"] or () if row["layer"] == layer["name"]]
        ops = dict.fromkeys(row["op"] for row in rows)
        best: list[dict[str, Any]] = []
        for op in ops:
            seen: dict[str, dict[str, Any]] = {}
            for row in (r for r in rows if r["op"] == op):
                if row["kernel"] in seen:
                    seen[row["kernel"]]["more"] += 1
                else:
                    seen[row["kernel"]] = {**row, "more": 0}
            best += seen.values()
        steps = [row for row in found["steps"] if row["layer"] == layer["name"]]
        others = [r for r in best if r["verdict"] != "chosen"]
        made.append({"index": index, "name": layer["name"], "steps": steps, "best": best, "others": others})
    return made


def compared(found: Document) -> list[str]:
    """The words in which layers are compared, as far as a layer has one."""
    rows = found["against"]["layers"] if found["against"] else []
    words = dict.fromkeys(word for row in rows for word in row if word not in ("name", "there", "kernels"))
    return [
        w for w in words if any(row[w]["first"] is not None or row[w]["second"] is not None for row in rows)
    ]


def busiest(found: Document) -> dict[str, Any] | None:
    """The part of a design that a frame waits for."""
    parts = [part for part in found["parts"] if part.get("cycles")]
    return max(parts, key=lambda part: part["cycles"], default=None)
