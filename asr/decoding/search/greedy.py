"""Greedy CTC search, without a graph."""

import numpy as np
import numpy.typing as npt

from asr.decoding.search.collapse import collapse
from asr.decoding.search.path import BestPath, Phones, check_scores, phones_of


class GreedySearch:
    """Takes the best class of each frame (Graves et al. 2006, section 3.2); a scale changes nothing."""

    def best_path(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> BestPath:
        """See `PathSearch.best_path`; the path costs what its classes do."""
        scores = check_scores(scores, scores.shape[1])
        classes = scores.argmax(axis=1)
        cost = -acoustic_scale * float(scores.max(axis=1).sum())
        return BestPath(collapse(classes), classes, cost, complete=True)

    def best_phones(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> Phones:
        """See `PathSearch.best_phones`."""
        return phones_of(self.best_path(scores, acoustic_scale))
