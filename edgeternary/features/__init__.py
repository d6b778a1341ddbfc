"""The front end for sound in integers: from 16-bit samples to the codes that a network reads."""

from edgeternary.features.before import sound_of, with_samples, with_sound
from edgeternary.features.codes import codes
from edgeternary.features.front import front
from edgeternary.features.mlperf import mlperf
from edgeternary.features.sound import Sound

__all__ = ["Sound", "codes", "front", "mlperf", "sound_of", "with_samples", "with_sound"]
