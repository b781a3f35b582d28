"""Growing arrays for compiled code.

Numba's cache of a caller does not notice changes to this file: delete __pycache__ after one.
"""

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled


@compiled
def with_room(records: npt.NDArray, count: int) -> npt.NDArray:
    """The records [N], with room for `count` of them; those added are not set."""
    if count <= len(records):
        return records
    larger = np.empty(max(2 * len(records), count), records.dtype)
    for place in range(len(records)):
        larger[place] = records[place]
    return larger
