"""The integer graph: types, values, ops, verification, text and file form."""

from edgeternary.ir.graph import Graph
from edgeternary.ir.meta import InputMeta, Meta, OutputMeta
from edgeternary.ir.op import REGISTRY, IntArray, Op
from edgeternary.ir.types import Type, parse, smallest
from edgeternary.ir.value import State, Value

__all__ = [
    "REGISTRY",
    "Graph",
    "InputMeta",
    "IntArray",
    "Meta",
    "Op",
    "OutputMeta",
    "State",
    "Type",
    "Value",
    "parse",
    "smallest",
]
