"""From answers at every frame to detections: integers all the way, so that every executor detects the same.

At each frame a word's score is the sum of its logits over the last SMOOTH frames; its margin is how far that
is above the highest other score, silence and unknown among them. A word is detected when its margin reaches
THRESHOLD a frame, at least GAP frames after the last detection. The same word again needs more: REFRACTORY
frames, and a margin below half of THRESHOLD in between. Nothing is detected in the first WARM frames, whose
window begins before the sound. The constants were chosen on the validation speakers.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

SMOOTH = 25  # frames
THRESHOLD = 75  # a frame, in units of the logits
GAP = 25  # frames
REFRACTORY = 40  # frames
WARM = 49  # frames


@dataclass
class Detector:
    """others: how many of the classes are no words, the first ones; threshold: mean margin a frame."""

    others: int
    threshold: int = THRESHOLD
    smooth: int = SMOOTH
    _recent: deque[np.ndarray] = field(default_factory=deque)
    _frame: int = -1
    _last: int = -1_000_000
    _word: int = -1
    _armed: bool = True

    def push(self, logits: np.ndarray) -> tuple[int, int] | None:
        """(class, mean margin) where this frame's logits, int32 (classes,), complete a detection."""
        self._frame += 1
        self._recent.append(np.asarray(logits, np.int64))
        if len(self._recent) > self.smooth:
            self._recent.popleft()
        if len(self._recent) < self.smooth:
            return None
        scores = np.sum(self._recent, axis=0)
        best = int(scores.argmax())
        margin = int(scores[best] - np.partition(scores, -2)[-2])
        if best != self._word or 2 * margin < self.threshold * self.smooth:
            self._armed = True
        passed = self._frame - self._last
        again = best == self._word and not (self._armed and passed >= REFRACTORY)
        if (
            best < self.others
            or self._frame < WARM
            or margin < self.threshold * self.smooth
            or passed < GAP
            or again
        ):
            return None
        self._last, self._word, self._armed = self._frame, best, False
        return best, margin // self.smooth


def detections(
    outputs: np.ndarray, others: int, threshold: int = THRESHOLD, smooth: int = SMOOTH
) -> list[tuple[int, int, int]]:
    """(frame, class, margin) of each detection in the logits (frames, classes) of a whole sound."""
    detector = Detector(others, threshold, smooth)
    found = ((frame, detector.push(logits)) for frame, logits in enumerate(outputs))
    return [(frame, *hit) for frame, hit in found if hit]
