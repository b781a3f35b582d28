"""The grid of points from which tuning chooses, and how many errors each makes in each utterance of the dev set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.priors import scaled_likelihoods
from asr.config import DecodingConfig
from asr.decoding.race import Errors
from asr.decoding.search.path import PathSearch
from asr.scoring.counted import ErrorCounter
from asr.threads import available_cores, in_threads

if TYPE_CHECKING:
    from asr.decoding.search.batch_viterbi import BatchViterbi

LISTS = {
    "acoustic_scale": "acoustic_scales",
    "insertion_penalty": "insertion_penalties",
    "lm_weight": "lm_weights",
    "prior_scale": "prior_scales",
}
"""The recipe's list for each value that is tuned."""

SearchFor = Callable[[float, float], PathSearch]
"""Makes the search for a weight of the language model and an insertion penalty."""

ViterbiFor = Callable[[float], "BatchViterbi"]
"""Makes the exact search of batches for a weight of the language model."""

POINTS_PER_CORE = 4
"""With more points than this for each core, they are searched at once on the device, where the time depends mostly on
the frames; with fewer, one by one on the cores. An estimate, not measured on a GPU."""


class Point(NamedTuple):
    """A value of each list: factors of log scores, and a cost (nats) of each phone."""

    acoustic_scale: float
    insertion_penalty: float
    lm_weight: float
    prior_scale: float


def grid_lists(config: DecodingConfig) -> list[list[float]]:
    """The different values of each of LISTS, in order."""
    return [sorted(set(getattr(config, setting))) for setting in LISTS.values()]


def grid_points(lists: Sequence[Sequence[float]]) -> list[Point]:
    """All points, those of one search next to each other."""
    points = (Point(*values) for values in product(*lists))
    return sorted(points, key=lambda point: (point.lm_weight, point.insertion_penalty, point.prior_scale))


@dataclass(frozen=True, slots=True)
class GridErrors:
    """Searches utterances, given by their log posteriors, on all cores; `priors` [C] are probabilities.

    With `viterbi_for`, many points are searched on its device, all of them at once, exactly: as a wide beam would.
    """

    points: Sequence[Point]
    posteriors: Sequence[LogPosteriors]
    priors: npt.NDArray[np.float64]
    search_for: SearchFor
    counter: ErrorCounter
    viterbi_for: ViterbiFor | None = None

    def __call__(self, points: Sequence[int], utterances: Sequence[int]) -> Errors:
        """The errors [points, utterances] of some points in some utterances, by their numbers."""
        chosen = [self.points[number] for number in points]
        if self.viterbi_for is not None and len(chosen) > POINTS_PER_CORE * available_cores():
            return self._at_once(chosen, utterances, self.viterbi_for)
        return self._one_by_one(chosen, utterances)

    def _one_by_one(self, chosen: Sequence[Point], utterances: Sequence[int]) -> Errors:
        keys = dict.fromkeys((point.lm_weight, point.insertion_penalty) for point in chosen)
        searches = {key: self.search_for(*key) for key in keys}
        found = np.zeros((len(chosen), len(utterances)), np.int64)

        def count(task: tuple[int, float]) -> None:
            column, prior_scale = task
            utterance = utterances[column]
            scores = self._scores(utterance, prior_scale)
            for row, point in enumerate(chosen):
                if point.prior_scale == prior_scale:
                    search = searches[point.lm_weight, point.insertion_penalty]
                    found[row, column] = self.counter.errors(
                        utterance, search.best_phones(scores, point.acoustic_scale)
                    )

        tasks = product(range(len(utterances)), dict.fromkeys(point.prior_scale for point in chosen))
        list(in_threads(count, tasks))
        return found

    def _at_once(self, chosen: Sequence[Point], utterances: Sequence[int], viterbi_for: ViterbiFor) -> Errors:
        from asr.decoding.search.batch_viterbi import Weights
        from asr.decoding.search.batches import batch_phones

        found = np.zeros((len(chosen), len(utterances)), np.int64)
        for lm_weight, prior_scale in dict.fromkeys((point.lm_weight, point.prior_scale) for point in chosen):
            rows = [
                row for row, each in enumerate(chosen) if (each.lm_weight, each.prior_scale) == (lm_weight, prior_scale)
            ]
            weights = [Weights(chosen[row].acoustic_scale, chosen[row].insertion_penalty) for row in rows]
            scores = [self._scores(utterance, prior_scale) for utterance in utterances]
            phones = batch_phones(scores, viterbi_for(lm_weight), weights)
            for column, (utterance, of_utterance) in enumerate(zip(utterances, phones, strict=True)):
                found[rows, column] = [self.counter.errors(utterance, each) for each in of_utterance]
        return found

    def _scores(self, utterance: int, prior_scale: float) -> npt.NDArray[np.float32]:
        return scaled_likelihoods(self.posteriors[utterance], self.priors, prior_scale)
