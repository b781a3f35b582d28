"""The best path of known phones through a CTC model's scores.

Where the scores are of speech, few states stay within the beam: time and memory grow with the frames alone.
"""

import numpy as np
import numpy.typing as npt

from asr.alignment.graph import build_alignment_graph
from asr.alignment.viterbi import best_path
from asr.decoding.search.collapse import collapse
from asr.decoding.search.path import BestPath
from asr.phones.classes import BLANK

BEAM = 200.0
"""Nats below the best state of its frame at which a state is given up: no speech that follows is worth as much."""


def forced_path(scores: npt.NDArray[np.float32], phones: list[int], beam: float = BEAM) -> BestPath:
    """The best path of the phones through log scores [T, C] of a CTC model.

    Raises InputError as `asr.alignment.viterbi.best_path`, which defines the `beam`.
    """
    if phones and len(scores):
        graph = build_alignment_graph(phones, "ctc", 1, np.zeros(0))
        found = best_path(scores, graph, beam)
        classes, score = graph.classes[found.states], found.score
    else:
        classes, score = np.full(len(scores), BLANK), float(scores[:, BLANK].sum(dtype=np.float64))
    return BestPath(collapse(classes), classes, -score, complete=True)
