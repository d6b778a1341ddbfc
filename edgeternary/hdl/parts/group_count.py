"""group_count: all groups at once."""

from edgeternary.hdl.wired import AsWires
from edgeternary.ops import GroupCount


class GroupCountLayer(AsWires[GroupCount]):
    kind = "group_count"
