"""Writes and reads files that hold an image: ELF, Intel HEX, UF2 and plain binary."""

import io
import struct
from pathlib import Path

from edgeternary.errors import EdgeTernaryError

FILL = b"\xff"  # erased flash
ELF_MAGIC = b"\x7fELF"
# UF2 file format specification (Microsoft): a block has 512 bytes and holds 256 bytes of the image.
UF2_FIRST, UF2_SECOND, UF2_LAST = 0x0A324655, 0x9E5D5157, 0x0AB16F30
UF2_FAMILY = 0x2000  # flag: the eighth word names the chip
UF2_PAGE = 256
FAMILIES = {"rp2040": 0xE48BFF56}  # chips whose boot ROM takes UF2
BIGGEST = 64 << 20  # bytes of the largest image that is read


def flat(segments: list[tuple[int, bytes]]) -> tuple[int, bytes]:
    """(address, bytes) of all segments together. Gaps are filled."""
    first = min(address for address, _ in segments)
    size = max(address + len(data) for address, data in segments) - first
    if size > BIGGEST:
        raise EdgeTernaryError("the image is too large", f"its parts span {size:,} bytes", "build it again")
    image = bytearray(FILL * size)
    for address, data in segments:
        image[address - first : address - first + len(data)] = data
    return first, bytes(image)


def hex_text(address: int, image: bytes, start: int) -> str:
    """The image as Intel HEX. `start` is the address at which the core begins."""
    from intelhex import IntelHex

    records = IntelHex()
    records.frombytes(image, offset=address)
    records.start_addr = {"EIP": start}
    out = io.StringIO()
    records.write_hex_file(out)
    return out.getvalue()


def uf2(address: int, image: bytes, family: int) -> bytes:
    """The image as UF2 for the chip `family`. The last page is filled."""
    pages = [image[at : at + UF2_PAGE].ljust(UF2_PAGE, FILL) for at in range(0, len(image), UF2_PAGE)]
    blocks = []
    for number, page in enumerate(pages):
        where = address + number * UF2_PAGE
        head = (UF2_FIRST, UF2_SECOND, UF2_FAMILY, where, UF2_PAGE, number, len(pages), family)
        blocks.append(struct.pack("<8I476sI", *head, page, UF2_LAST))
    return b"".join(blocks)


def from_uf2(data: bytes) -> tuple[int, bytes]:
    """(address, bytes) of a UF2 file. ValueError if `data` is not UF2."""
    segments = []
    for at in range(0, len(data), 512):
        first, second, _, where, size, _, _, _, page, last = struct.unpack_from("<8I476sI", data, at)
        if (first, second, last) != (UF2_FIRST, UF2_SECOND, UF2_LAST) or size > 476:
            raise ValueError(f"block {at // 512} is not a block of UF2")
        segments.append((where, page[:size]))
    return flat(segments)


def load(path: Path) -> tuple[int | None, bytes]:
    """(address, bytes) of the image in an .elf, .hex, .uf2 or .bin file. The address of a .bin is None.

    EdgeTernaryError for a file that cannot be read.
    """
    try:
        if path.stat().st_size > BIGGEST:
            raise ValueError(f"it has more than {BIGGEST:,} bytes")
        data = path.read_bytes()
        if data.startswith(ELF_MAGIC):
            from edgeternary.image.elf import Elf

            return flat(Elf(path).segments)
        if data[:4] == UF2_FIRST.to_bytes(4, "little"):
            return from_uf2(data)
        if data[:1] == b":" and path.suffix == ".hex":
            return _from_hex(data.decode("ascii"))
    except (OSError, ValueError, struct.error) as error:
        raise EdgeTernaryError(f"cannot read the image {path}", str(error), "build it again") from error
    return None, data


def _from_hex(text: str) -> tuple[int, bytes]:
    from intelhex import IntelHex, IntelHexError

    records = IntelHex()
    try:
        records.loadhex(io.StringIO(text))
    except IntelHexError as error:
        raise ValueError(str(error)) from error
    if not records.segments():
        raise ValueError("it holds no data")
    return flat([(first, records.tobinstr(first, end - 1)) for first, end in records.segments()])
