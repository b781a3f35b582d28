"""Choosing the scales of likelihoods and priors, insertion penalty and weight of the language model on the dev set.

The acoustic model runs once. Each point of the grid is then a search of its own over its scores, which takes about a
thousandth of the audio's time: a point gets the PER that decoding gives there, not that of another point's lattice.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from asr.acoustics.priors import scaled_likelihoods
from asr.acoustics.scorer import LogPosteriors
from asr.config import DecodingConfig
from asr.decoding.confidence import AS_THEY_ARE, POSTERIOR_SCALES, Recalibration, fit_recalibration
from asr.decoding.decode import Search, recognized
from asr.decoding.search.beam import Path, PathFinder
from asr.formats.transcript import Transcript
from asr.phones.phone_set import AnyPhoneSet

Utterance = tuple[Sequence[str], LogPosteriors]
"""Reference phones and log posteriors."""


LISTS = {
    "acoustic_scale": "acoustic_scales",
    "insertion_penalty": "insertion_penalties",
    "lm_weight": "lm_weights",
    "prior_scale": "prior_scales",
}
"""The recipe's list for each value that is chosen."""


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
    """The chosen point and all that were tried; `at_edge` names the recipe's lists whose end was chosen, where a value
    beyond might be better."""

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
    finder: Callable[[float, float], PathFinder],
    phones: Sequence[str],
    config: DecodingConfig,
    phone_set: AnyPhoneSet = "timit39",
) -> Tuned:
    """Decodes the dev set with each point of the recipe's lists; the lowest PER wins.

    `priors` [C] are probabilities; `finder` makes the search for a weight of the language model and a penalty. Among
    equal PERs the point nearest to the middle of the grid wins, then the smaller values. The PER counts silence and is
    that of `phone_set`. `utterances` is iterated anew for each point of the grid, so it is no generator. Raises
    InputError when there is no reference phone.
    """
    lists = {name: sorted(set(getattr(config, setting))) for name, setting in LISTS.items()}
    trials = []
    for weight in lists["lm_weight"]:
        for penalty in lists["insertion_penalty"]:
            decoder = finder(weight, penalty)
            for prior_scale, scale in product(lists["prior_scale"], lists["acoustic_scale"]):
                hypotheses = (
                    (spoken, decoder.decode(scaled_likelihoods(posteriors, priors, prior_scale), scale))
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
    dev: Iterable[tuple[Transcript, LogPosteriors]], search: Search, phone_set: AnyPhoneSet = "timit39"
) -> tuple[float, Recalibration]:
    """The posterior scale and the recalibration whose confidences tell most of which phones of the dev set are right.

    `dev` are references with log posteriors. Where all phones are right, or none, the search's own.
    """
    from asr.scoring.calibration import judge, normalized_cross_entropy

    found = [(*item, search.best_path(item[1])) for item in dev]
    best, told = (search.posterior_scale, search.recalibration), -np.inf
    for scale in POSTERIOR_SCALES:
        scaled = replace(search, posterior_scale=scale, recalibration=AS_THEY_ARE)
        posteriors, correct = judge(((item[0], recognized(*item, scaled)) for item in found), phone_set)
        recalibration = fit_recalibration(posteriors, correct)
        tells = normalized_cross_entropy(recalibration(posteriors), correct)
        if tells is not None and tells > told:
            best, told = (scale, recalibration), tells
    return best


def _per(hypotheses: Iterable[tuple[Sequence[str], Path]], phones: Sequence[str], phone_set: AnyPhoneSet) -> float:
    from asr.scoring.score import counted_per

    return counted_per(
        ((reference, [phones[span.phone] for span in path.phones]) for reference, path in hypotheses), phone_set
    )


def _at_edge(values: Sequence[float], value: float) -> bool:
    return len(values) > 1 and value in (values[0], values[-1])


def _off_centre(values: Sequence[float], value: float) -> float:
    return abs(values.index(value) - (len(values) - 1) / 2)
