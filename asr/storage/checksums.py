"""Checksums of arrays, which are stored with them and compared when they are read."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def arrays_crc32(head: Any, arrays: Mapping[str, NDArray[Any]]) -> int:
    """CRC-32 of what JSON writes for `head`, then of each array's name, type, shape and values, sorted by name."""
    crc = zlib.crc32(json.dumps(head).encode())
    for name, values in sorted(arrays.items()):
        crc = zlib.crc32(json.dumps([name, values.dtype.str, values.shape]).encode(), crc)
        crc = zlib.crc32(np.ascontiguousarray(values).data, crc)
    return crc
