"""How far an accuracy on some samples may be from that on all."""

import math

NORMAL = 1.959963984540054  # standard deviations that hold 95 % of a normal distribution


def interval(accuracy: float, samples: int) -> tuple[float, float]:
    """The 95 % interval of a share that was found on `samples` > 0 independent samples (Wilson, 1927)."""
    square = NORMAL * NORMAL / samples
    middle = (accuracy + square / 2) / (1 + square)
    half = NORMAL * math.sqrt(accuracy * (1 - accuracy) / samples + square / samples / 4) / (1 + square)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def told(accuracy: float, samples: int) -> str:
    """The interval in words: "95 % interval 84.1 to 88.2 %"."""
    low, high = interval(accuracy, samples)
    return f"95 % interval {100 * low:.1f} to {100 * high:.1f} %"
