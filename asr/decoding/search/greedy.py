"""CTC decoding without a graph."""

import numpy as np
import numpy.typing as npt

from asr.decoding.search.beam import Path, PhoneSpan, check_scores
from asr.phones.classes import BLANK


class GreedyDecoder:
    """Finds the phones of the best class of each frame (Graves et al. 2006, section 3.2); a scale changes nothing."""

    def decode(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> Path:
        """As `PathFinder.decode`; the path costs what its classes do."""
        scores = check_scores(scores, scores.shape[1])
        classes = scores.argmax(axis=1)
        cost = -acoustic_scale * float(scores.max(axis=1).sum())
        return Path(collapse(classes), classes, cost, complete=True)


def collapse(classes: npt.NDArray[np.int64]) -> list[PhoneSpan]:
    """The phones of a class for each frame [T]: runs of one class are one, and blanks none.

    CTC says when a phone begins and not how long it lasts: a phone has its own frames and the blanks after them, until
    the next begins.
    """
    begins = np.flatnonzero((np.diff(classes, prepend=BLANK) != 0) & (classes != BLANK)).tolist()
    ends = [*begins, len(classes)][1:]
    return [PhoneSpan(int(classes[first]) - 1, first, end) for first, end in zip(begins, ends, strict=True)]
