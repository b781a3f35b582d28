"""Choosing the scales of likelihoods and priors, insertion penalty and weight of the language model on the dev set.

The acoustic model runs once. Each point of the grid is then a separate search over its scores, which takes about a
thousandth of the audio's time: a point gets the PER that decoding gives there, not one from another point's lattice.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.priors import scaled_likelihoods
from asr.config import DecodingConfig
from asr.decoding.confidence import POSTERIOR_SCALES, UNCHANGED, Recalibration, fit_recalibration
from asr.decoding.decode import Decoder, with_phones
from asr.decoding.search.path import BestPath, PathSearch
from asr.formats.transcript import Transcript
from asr.phones.phone_set import AnyPhoneSet
from asr.scoring.calibration import judge, normalized_cross_entropy
from asr.scoring.score import counted_per

Utterance = tuple[Sequence[str], LogPosteriors]
"""Reference phones and log posteriors."""

LISTS = {
    "acoustic_scale": "acoustic_scales",
    "insertion_penalty": "insertion_penalties",
    "lm_weight": "lm_weights",
    "prior_scale": "prior_scales",
}
"""The recipe's list for each value that is tuned."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One point of the grid; `per` in per cent, silence counted."""

    acoustic_scale: float
    insertion_penalty: float
    lm_weight: float
    prior_scale: float
    per: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """The chosen point and all that were tried; `at_edge` has the recipe's lists whose first or last value was chosen:
    one beyond it might be better."""

    acoustic_scale: float
    insertion_penalty: float
    lm_weight: float
    prior_scale: float
    per: float
    at_edge: list[str]
    trials: list[Trial]


def tune(
    utterances: Iterable[Utterance],
    priors: npt.NDArray[np.float64],
    search_for: Callable[[float, float], PathSearch],
    phones: Sequence[str],
    config: DecodingConfig,
    phone_set: AnyPhoneSet = "timit39",
) -> Tuned:
    """Decodes the dev set with each point of the recipe's lists; the lowest PER wins.

    `priors` [C] are probabilities; `search_for` makes the search for a language model weight and a penalty. Among equal
    PERs the point nearest to the middle of the grid wins, then the smaller values. The PER counts silence and is that
    of `phone_set`. `utterances` is iterated once for each point of the grid, so it cannot be a generator. Raises
    InputError when there is no reference phone.
    """
    lists = {name: sorted(set(getattr(config, setting))) for name, setting in LISTS.items()}
    trials = []
    for weight in lists["lm_weight"]:
        for penalty in lists["insertion_penalty"]:
            search = search_for(weight, penalty)
            for prior_scale, scale in product(lists["prior_scale"], lists["acoustic_scale"]):
                hypotheses = (
                    (spoken, search.best_path(scaled_likelihoods(posteriors, priors, prior_scale), scale))
                    for spoken, posteriors in utterances
                )
                trials.append(Trial(scale, penalty, weight, prior_scale, _per(hypotheses, phones, phone_set)))

    def rank(trial: Trial) -> tuple[float, ...]:
        point = [getattr(trial, name) for name in lists]
        off_centre = sum(_off_centre(values, value) for values, value in zip(lists.values(), point, strict=True))
        return trial.per, off_centre, *point

    best = min(trials, key=rank)
    at_edge = [LISTS[name] for name, values in lists.items() if _at_edge(values, getattr(best, name))]
    return Tuned(
        best.acoustic_scale, best.insertion_penalty, best.lm_weight, best.prior_scale, best.per, at_edge, trials
    )


def tune_confidences(
    dev: Iterable[tuple[Transcript, LogPosteriors]], decoder: Decoder, phone_set: AnyPhoneSet = "timit39"
) -> tuple[float, Recalibration]:
    """The posterior scale and the recalibration whose confidences best tell which phones of the dev set are right.

    `dev` has references with log posteriors. Where all phones are right, or none, the decoder's own are kept.
    """
    found = [(*item, decoder.best_path(item[1])) for item in dev]
    best, most = (decoder.posterior_scale, decoder.recalibration), -np.inf
    for scale in POSTERIOR_SCALES:
        scaled = replace(decoder, posterior_scale=scale, recalibration=UNCHANGED)
        posteriors, correct = judge(((item[0], with_phones(*item, scaled)) for item in found), phone_set)
        recalibration = fit_recalibration(posteriors, correct)
        information = normalized_cross_entropy(recalibration(posteriors), correct)
        if information is not None and information > most:
            best, most = (scale, recalibration), information
    return best


def _per(hypotheses: Iterable[tuple[Sequence[str], BestPath]], phones: Sequence[str], phone_set: AnyPhoneSet) -> float:
    return counted_per(
        ((reference, [phones[span.phone] for span in path.phones]) for reference, path in hypotheses), phone_set
    )


def _at_edge(values: Sequence[float], value: float) -> bool:
    return len(values) > 1 and value in (values[0], values[-1])


def _off_centre(values: Sequence[float], value: float) -> float:
    return abs(values.index(value) - (len(values) - 1) / 2)
