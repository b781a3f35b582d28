"""Arrays that grow, for compiled code.

Numba's cache of a caller does not see that this file changes: delete __pycache__ then.
"""

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True)
def with_room(records: npt.NDArray, count: int) -> npt.NDArray:
    """The records, with room for `count` of them; what is behind them is not set."""
    if count <= len(records):
        return records
    larger = np.empty(max(2 * len(records), count), records.dtype)
    larger[: len(records)] = records
    return larger
