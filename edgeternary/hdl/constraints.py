"""What is asked of a design."""

from dataclasses import KW_ONLY, dataclass


@dataclass(frozen=True)
class Constraints:
    """What a design is to be; a number 0 leaves the choice to the planner.

    device    a part or family of hdl.devices, "" for the bare core with the default folding
    fps       frames a second to reach
    max_luts  the most LUTs; 0: what the part has
    maximize  as many frames a second as fit
    clock     MHz that frames a second are computed with; 0: the device's
    seeds     of place and route; 0: by size
    blocks    the most block RAMs; 0: what the part has
    taken     logic cells of the part that something else takes
    single_port_rams  the most that may be used where the design does not fit without; -1: what the part has
    latency   the most clocks from a frame to its answer, weights as wires
    bytewise  the answer leaves a byte a beat, whatever it costs: for a serial port
    embedded  the core goes into a larger design on the part: no pins limit its ports, and numbers leave as
              they are, several a beat, in place of bytes
    """

    device: str = ""
    fps: float = 0.0
    _: KW_ONLY
    max_luts: int = 0
    maximize: bool = False
    clock: float = 0.0
    seeds: int = 0
    blocks: int = 0
    taken: int = 0
    single_port_rams: int = -1
    latency: int = 0
    bytewise: bool = False
    embedded: bool = False


NO_CONSTRAINTS = Constraints()
