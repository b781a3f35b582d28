"""Grey pictures as PNG files (ISO/IEC 15948)."""

import struct
import zlib
from typing import Literal

import numpy as np
import numpy.typing as npt


def grey_png(pixels: npt.NDArray[np.uint8], bits: Literal[4, 8] = 8) -> bytes:
    """The bytes of a PNG of pixels [height, width] of 4 or 8 bits each; 0 is black."""
    height, width = pixels.shape
    if bits == 4:
        even = np.pad(pixels, ((0, 0), (0, width % 2)))
        pixels = (even[:, ::2] << 4 | even[:, 1::2]).astype(np.uint8)
    rows = np.pad(pixels, ((0, 0), (1, 0)))  # each row begins with its filter: 0, none
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
