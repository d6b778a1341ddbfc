"""A model with several inputs or outputs as firmware calls it: bytes of all inputs in, of all outputs out."""

from collections.abc import Iterator, Sequence

from edgeternary.ir import Graph, Value
from edgeternary.ir.names import identifier
from edgeternary.ir.wire import element_bytes


def api_names(graph: Graph) -> dict[str, str]:
    """What firmware/core calls the parts of the model's header, see c.naming.api_names."""
    p = identifier(graph.name)
    return {
        "MODEL": f"{p}_t", "IN": "uint8_t", "OUT": "uint8_t", "IN_SIZE": f"{_size(graph.inputs)}u",
        "OUT_SIZE": f"{_size(graph.output_values)}u", "RESET": f"{p}_reset", "RUN": f"{p}_packed",
    }  # fmt: skip


def function(graph: Graph) -> str:
    """C of NAME_packed. Elements of more than a byte are copied, as they may lie at any address."""
    p = identifier(graph.name)
    return "\n".join(
        [
            "#ifndef IMAGE_PACKED",
            "#define IMAGE_PACKED",
            f"static inline void {p}_copy(void *to, const void *from, unsigned size)",
            "{",
            "    for (unsigned i = 0; i < size; i++)",
            "        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];",
            "}",
            "",
            f"static inline void {p}_packed({p}_t *net, const uint8_t *in, uint8_t *out)",
            "{",
            *_body(graph, p),
            "}",
            "#endif",
            "",
            "",
        ]
    )


def _body(graph: Graph, p: str) -> Iterator[str]:
    arguments, before, after = ["net"], [], []
    for side, values in (("in", graph.inputs), ("out", graph.output_values)):
        at = 0
        for number, value in enumerate(values):
            name, kept = f"{side}_{number}", "const " if side == "in" else ""
            if value.type.dtype.itemsize == 1:
                arguments.append(f"({kept}{value.type.ctype} *)({side} + {at})")
            else:
                yield f"    static {value.type.ctype} {name}[{value.size}];"
                arguments.append(name)
                if side == "in":
                    before.append(f"    {p}_copy({name}, in + {at}, sizeof {name});")
                else:
                    after.append(f"    {p}_copy(out + {at}, {name}, sizeof {name});")
            at += element_bytes(value)
    yield from [*before, f"    {p}_run({', '.join(arguments)});", *after]


def _size(values: Sequence[Value]) -> int:
    return sum(map(element_bytes, values))
