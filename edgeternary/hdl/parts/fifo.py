"""First in, first out: a Replay of vectors of one beat, sent once."""

from edgeternary.hdl.parts.replay import ReplayPart
from edgeternary_hw.fifo import Fifo


class FifoPart(ReplayPart):
    hardware = Fifo
