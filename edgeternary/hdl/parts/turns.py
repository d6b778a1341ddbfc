"""Frames of one stream to several readers in turn: the end of what hdl.turns builds."""

from typing import Any

import numpy as np

from edgeternary.hdl.part import Area, Network, Part, bits
from edgeternary.hdl.parts import part_of
from edgeternary.hdl.times import ALWAYS, Times, delayed
from edgeternary_hw.join import Concat
from edgeternary_hw.turns import Turns


class TurnsPart(Part[Turns]):
    hardware = Turns
    times_vary = True

    def area(self, part: Turns) -> Area:
        return Area(3 * part.count + 10, part.count + bits(max(part.beats)))

    def times(self, part: Turns, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 0, last)

    def sent(self, network: Network, part: Turns, port: str) -> Times:
        """What leaves in a turn: through the parts that all share, in which it follows the turn before."""
        turn = int(port[1:])
        for before in range(turn):
            network.at(part, f"o{before}")
        chain: list[Any] = [part]
        while not isinstance(chain[-1], Concat):
            chain.append(network.inputs[id(chain[-1])]["i"][0])
        times = network.at(*network.inputs[id(chain[-1])][f"i{turn}"])
        if times is None:
            times = np.full(part.beats[turn], ALWAYS)
        for shared in reversed(chain):
            last = network.last.get(id(shared))
            if isinstance(shared, Concat):  # of its inputs only the one whose turn it is
                times = delayed([times], 0, last)
            else:
                times = part_of(shared).times(shared, [times], last)
            network.last[id(shared)] = times
        return times
