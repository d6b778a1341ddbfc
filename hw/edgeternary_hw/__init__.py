"""Stream parts for integer neural networks in Amaranth.

Every part is a component with stream ports (`i` and `o`; parts that part or join streams have numbered ones)
and takes plain arguments. A beat carries several channels, channel 0 in the low bits; a frame is a fixed
number of beats in the order row, column, channels. A payload stays as it is while it waits, and no ready
depends combinationally on the valid of the same stream.
"""

from .answer import Answer
from .argmax import ArgMax
from .axis import Axis, Fields
from .circuit import Circuit, Number
from .crc import Crc32
from .element import Element
from .fifo import Fifo, Hold, Replay, Skid
from .fill import Fill
from .flash import FlashReader
from .join import Add, Concat, Fork, Slice
from .line_buffer import LineBuffer
from .loader import Loader
from .lookup import Lookup
from .multiplier import Multiplier, Multiply
from .mvu import MatrixVector
from .pick import Pick
from .pool import MaxPool, Pooling, SumPool
from .recode import Recode
from .requantize import Requantize
from .rms_norm import RmsNorm
from .row import Row
from .serial.cobs import CobsDecoder, CobsEncoder
from .serial.link import Link
from .serial.uart import UartReceiver, UartTransmitter
from .state import Starts, State
from .threshold import Threshold
from .total import Total
from .turns import Turns
from .unpack import Unpack
from .width import Narrow, Widen
from .window import Window
from .wired import Wired
from .wishbone import Wishbone
from .words import Words

__all__ = [
    "Add", "Answer", "ArgMax", "Axis", "Circuit", "CobsDecoder", "CobsEncoder", "Concat", "Crc32",
    "Element", "Fields", "Fifo", "Fill", "FlashReader", "Fork", "Hold", "LineBuffer", "Link", "Loader",
    "Lookup", "MatrixVector", "MaxPool", "Multiplier", "Multiply", "Narrow", "Number", "Pick", "Pooling",
    "Recode", "Replay", "Requantize", "RmsNorm", "Row", "Skid", "Slice", "Starts", "State", "SumPool",
    "Threshold", "Total", "Turns", "UartReceiver", "UartTransmitter", "Unpack", "Widen", "Window",
    "Wired", "Wishbone", "Words",
]  # fmt: skip
