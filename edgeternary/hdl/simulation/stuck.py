"""What a bench says when the hardware does not move on: which stream hangs, and how far it came."""

from edgeternary.hdl.top import Design


def no_answer(cycles: int, taken: tuple[int, int], given: tuple[int, int]) -> str:
    """taken, given: beats of the input and of the output, and how many there are of each."""
    where = "its input takes none" if taken[0] == 0 else f"{taken[0]:,} of {taken[1]:,} beats went in"
    return f"no answer within {cycles:,} cycles: {where}, {given[0]:,} of {given[1]:,} came out"


def short_load(taken: int, size: int) -> str:
    """The loader is not done after `taken` bytes of weights."""
    return f"its loader hangs: it took {taken:,} of {size:,} bytes of weights and is not done"


def wrong_weights(design: Design) -> str:
    """The loader says that it failed."""
    return f"its loader refused the {len(design.weights):,} bytes of weights: their CRC-32 is another one"
