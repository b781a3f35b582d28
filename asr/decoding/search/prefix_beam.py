"""CTC prefix beam search without a graph (Graves & Jaitly 2014, algorithm 1; Hannun et al. 2014, algorithm 1).

Where a best-path search takes the best alignment of a phone sequence, this one adds up the probabilities of all its
alignments. So several models can be searched as one although each aligns in its own way: what is averaged over them is
the log probability of a phone sequence, not that of a frame.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from asr.decoding.search.forced_path import forced_path
from asr.decoding.search.path import NO_FRAMES, BestPath, Phones, PhoneSequence, check_scores
from asr.decoding.search.phone_prior import PhonePrior, no_prior
from asr.decoding.search.prefix_tree import Records, search_prefixes
from asr.errors import InputError


class PrefixBeamSearch:
    """Finds the phones that are best over all their alignments, and then their best alignment.

    For several models, [M, T, C], the alignment is by the first.
    """

    def __init__(self, prior: PhonePrior, beam: int, lm_weight: float = 1.0, insertion_penalty: float = 0.0) -> None:
        """`beam` prefixes survive each frame; `lm_weight` is the factor of the prior's logs, `insertion_penalty` the
        cost (nats) of each phone."""
        self.prior, self.beam, self.classes = prior, beam, 2 + int(prior.phones.max())
        self.lm_weight, self.insertion_penalty = lm_weight, insertion_penalty
        self._prior = lru_cache(maxsize=16)(self._prior_at)

    def _prior_at(self, acoustic_scale: float) -> PhonePrior:
        """Sums over alignments need unscaled probabilities: the prior is scaled by the inverse instead."""
        return self.prior.weighted(self.lm_weight / acoustic_scale, self.insertion_penalty / acoustic_scale)

    def best_path(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> BestPath:
        """See `PathSearch.best_path`; the cost is the scaled negative score of the phones over all alignments."""
        models = self._checked(scores)
        if not models.shape[1]:
            return NO_FRAMES
        kept = prefix_beam_search(models, self.beam, self._prior(acoustic_scale), count=self.beam)
        scaled = [replace(each, score=acoustic_scale * each.score) for each in kept]
        return replace(forced_path(models[0], scaled[0].phones), cost=-scaled[0].score, sequences=scaled)

    def best_phones(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> Phones:
        """See `PathSearch.best_phones`."""
        models = self._checked(scores)
        if not models.shape[1]:
            return np.zeros(0, np.int32)
        (best,) = prefix_beam_search(models, self.beam, self._prior(acoustic_scale))
        return np.array(best.phones, np.int32)

    def _checked(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.stack([check_scores(each, self.classes) for each in _by_model(scores)])


def prefix_beam_search(
    log_posteriors: npt.NDArray[np.float32], beam: int, prior: PhonePrior | None = None, count: int = 1
) -> list[PhoneSequence]:
    """The `count` most probable phone sequences of log posteriors [T, 1 + P] (natural), best first; of several models
    [M, T, 1 + P], by the mean of their log probabilities.

    `beam` prefixes survive each frame. With a prior, a sequence's score is log P(sequence | frames) plus what the prior
    adds, including the end; several sequences of its symbols that are the same phones count as one. Raises InputError
    for posteriors that are not numbers, ValueError for a beam below 1.

    The blank is the likelier class of both frames here, and yet the phone is likelier than none (0.64 to 0.36):

    >>> prefix_beam_search(np.log(np.array([[0.6, 0.4], [0.6, 0.4]], np.float32)), beam=8)
    [PhoneSequence(phones=[0], score=-0.446...)]
    """
    if beam < 1:
        raise ValueError("beam must be at least 1")
    if np.isnan(log_posteriors).any():
        raise InputError("acoustic scores are not finite; check the audio: are its samples within -1 to 1?")
    prior = prior or no_prior(log_posteriors.shape[-1] - 1)
    scores, prefixes, tree = search_prefixes(_by_model(log_posteriors).astype(np.float64), beam, prior)
    summed: dict[tuple[int, ...], float] = {}
    phones = _phones(prefixes, tree, prior)
    for score, sequence in zip(scores.tolist(), phones, strict=True):
        summed[sequence] = float(np.logaddexp(summed[sequence], score)) if sequence in summed else score
    found = [PhoneSequence(list(sequence), score) for sequence, score in summed.items()]
    return sorted(found, key=lambda sequence: (-sequence.score, sequence.phones))[:count]


def _phones(prefixes: npt.NDArray[np.int32], tree: Records, prior: PhonePrior) -> list[tuple[int, ...]]:
    """The phones of each prefix."""
    phone_of, parents, symbols = prior.phones.tolist(), tree["parent"], tree["symbol"]
    found = []
    for prefix in prefixes.tolist():
        sequence = []
        while prefix:
            sequence.append(phone_of[symbols[prefix]])
            prefix = parents[prefix]
        found.append(tuple(sequence[::-1]))
    return found


def _by_model(log_posteriors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return log_posteriors if log_posteriors.ndim == 3 else log_posteriors[None]
