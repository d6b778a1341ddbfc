"""lut: the tables of a pixel, of a window or of a vector at once."""

from edgeternary.hdl.wired import AsWires
from edgeternary.ops import Lut


class LutLayer(AsWires[Lut]):
    kind = "lut"
