"""How much of its input a network reads: synthesis leaves the rest out of the registers that hold it."""

from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.fold import Folding
from edgeternary.hdl.wired import Read, circuit, fitted
from edgeternary.ir import Graph, Value
from edgeternary.ops import Compare
from edgeternary_hw import Element
from edgeternary_hw.compare import Compare as Unit


def bits_read(graph: Graph, folding: Folding, x: Value, element: Element, lanes: int) -> int:
    """Bits of a beat of the input `x` that something reads, as far as comparisons or wires alone do."""
    if folding.wired and lanes == x.size:
        return len(places_read(graph, folding))
    readers = graph.consumers(x.name)
    while len(readers) == 1 and readers[0].kind == "reshape":
        x = graph.values[readers[0].name]
        readers = graph.consumers(x.name)
    if len(readers) != 1 or not isinstance(op := readers[0], Compare) or x.channels % lanes:
        return lanes * element.width
    part = Unit(element, x.channels, op.source.tolist(), op.t.tolist(), lanes=lanes)
    part._MustUse__silence = True
    return part.read_bits


def places_read(graph: Graph, folding: Folding) -> list[int]:
    """The bits of a whole frame that a network of wires reads, by their places in its beat."""
    read = Read(stream_element(graph.input), graph.input.size)
    made = fitted(circuit(graph, tuple(op.name for op in graph.ops), read, folding.fabric))
    nodes, found = made.circuit.nodes, set[int]()
    for n in made.circuit.live([n for n, _ in made.outputs]):
        for a in nodes[n].args:
            if nodes[a].kind == "input":
                first, width, _ = nodes[a].data
                found |= (
                    {first + nodes[n].data[0]} if nodes[n].kind == "bit" else {*range(first, first + width)}
                )
    return sorted(found)
