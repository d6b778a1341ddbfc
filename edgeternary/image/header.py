"""The header of an image for a microcontroller. It follows the vector table: board, model, length, digest.

firmware/core/header.h has the layout. The digest is the SHA-256 of the .bin file, with zeros in place of the
32 bytes of the digest itself.
"""

import hashlib
import struct
from dataclasses import dataclass

from edgeternary.errors import EdgeTernaryError

MAGIC = b"edgetern"
VERSION = 1
LAYOUT = struct.Struct("<8sHHI32s32s48s")
PLACES = (0x40, 0x140)  # after 16 vectors, and after a boot stage of 256 bytes and 16 vectors
DIGEST = 16  # offset of the digest in the header
BOOT = 256  # bytes of a boot stage


@dataclass(frozen=True)
class Header:
    """The fields of an image's header.

    at      offset of the header in the image
    length  length of the image in bytes
    digest  64 hexadecimal digits
    model   the first 47 bytes of the model's name
    """

    at: int
    length: int
    digest: str
    board: str
    model: str


def find(image: bytes) -> Header:
    """The header of an image. EdgeTernaryError if there is none, or if the image is truncated."""
    for at in PLACES:
        if image[at : at + len(MAGIC)] == MAGIC and len(image) >= at + LAYOUT.size:
            _, version, size, length, digest, board, model = LAYOUT.unpack_from(image, at)
            if version != VERSION or size != LAYOUT.size:
                raise _bad(f"its header has version {version} and {size} bytes")
            if length > len(image):
                raise _bad(f"it has only {len(image):,} of {length:,} bytes")
            return Header(at, length, digest.hex(), _name(board), _name(model))
    raise _bad("it has no header of edgeternary")


def check(image: bytes) -> Header:
    """The header, after a check of the digest."""
    header = find(image)
    if digest(image[: header.length], header.at) != header.digest:
        raise _bad("its digest is wrong: the content was changed after the build")
    return header


def digest(image: bytes, at: int) -> str:
    """64 hexadecimal digits: SHA-256 of the image with zeros as the digest in the header at `at`."""
    first = at + DIGEST
    return hashlib.sha256(image[:first] + bytes(32) + image[first + 32 :]).hexdigest()


def stamp(image: bytes) -> bytes:
    """The image with its length and digest in the header, and with the CRC of its boot stage, if any."""
    at = next((at for at in PLACES if image[at : at + len(MAGIC)] == MAGIC), None)
    if at is None:
        raise _bad("it was linked without a header")
    done = bytearray(image)
    if at > BOOT:
        done[BOOT - 4 : BOOT] = boot_crc(bytes(done[: BOOT - 4])).to_bytes(4, "little")
    struct.pack_into("<I", done, at + DIGEST - 4, len(done))
    done[at + DIGEST : at + DIGEST + 32] = bytes.fromhex(digest(bytes(done), at))
    return bytes(done)


def boot_crc(stage: bytes) -> int:
    """CRC-32 of a boot stage, as the boot ROM of the RP2040 checks it.

    The polynomial is 0x04c11db7, with the high bit first. It starts with all ones and has no final XOR
    (RP2040 datasheet, section 2.8.1.3.1).
    """
    crc = 0xFFFF_FFFF
    for byte in stage:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc >> 31 else 0)) & 0xFFFF_FFFF
    return crc


def _name(field: bytes) -> str:
    return field.rstrip(b"\0").decode("utf-8", "replace")


def _bad(why: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        "this is not an image for a board",
        why,
        "build one with edgeternary compile MODEL --board BOARD -o DIR",
    )
