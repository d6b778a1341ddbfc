"""The integer graph: types, values, ops, verification, text and file form."""

from edgeternary.ir.graph import Graph
from edgeternary.ir.meta import Meta
from edgeternary.ir.op import REGISTRY, IntArray, Op
from edgeternary.ir.types import Type, parse, smallest
from edgeternary.ir.value import State, Value

__all__ = ["REGISTRY", "Graph", "IntArray", "Meta", "Op", "State", "Type", "Value", "parse", "smallest"]
