"""How a value of the graph travels on a stream."""

from edgeternary.ir import Value
from edgeternary_hw import Element


def port_element(value: Value) -> Element:
    """The encoding on the ports of the whole design: exactly `type.bits` a channel."""
    name = value.type.name
    if name in ("bipolar", "ternary"):
        return Element(name, value.type.bits)
    return Element("signed" if value.type.signed else "unsigned", value.type.bits)


def stream_element(value: Value) -> Element:
    """The encoding between parts: as on the ports, but int32 as narrow as the interval allows."""
    if value.type.name != "int32":
        return port_element(value)
    return interval_element(value.lo, value.hi)


def interval_element(lo: int, hi: int) -> Element:
    """The narrowest two's complement for all of [lo, hi]."""
    if lo >= 0:
        return Element("unsigned", max(hi.bit_length(), 1))
    return Element("signed", max((-lo - 1).bit_length(), max(hi, 0).bit_length()) + 1)
