"""From CTC's classes to phones."""

import numpy as np
import numpy.typing as npt

from asr.decoding.search.path import PhoneSpan
from asr.phones.classes import BLANK


def collapse(classes: npt.NDArray[np.int64]) -> list[PhoneSpan]:
    """The phones of the class of each frame [T]: a run of one class is one phone, blanks are none.

    CTC says when a phone begins but not how long it lasts: a phone has its own frames and the blanks after them, until
    the next one begins.

    >>> collapse(np.array([0, 3, 3, 0, 1]))
    [PhoneSpan(phone=2, first=1, end=4), PhoneSpan(phone=0, first=4, end=5)]
    """
    begins = np.flatnonzero((np.diff(classes, prepend=BLANK) != 0) & (classes != BLANK)).tolist()
    ends = [*begins, len(classes)][1:]
    return [PhoneSpan(int(classes[first]) - 1, first, end) for first, end in zip(begins, ends, strict=True)]
