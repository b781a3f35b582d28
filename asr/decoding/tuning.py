"""Choosing acoustic scale, insertion penalty and weight of the language model on the dev set.

The acoustic model runs once. Each point of the grid is then a search of its own over its scores, which takes about a
thousandth of the audio's time: a point gets the PER that decoding gives there, not that of another point's lattice.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from asr.config import DecodingConfig, PhoneSetName
from asr.decoding.confidence import POSTERIOR_SCALES
from asr.decoding.decode import LogPosteriors, Search, decode_utterance
from asr.decoding.graph import Graph
from asr.decoding.search import Decoder
from asr.transcript import Transcript

Utterance = tuple[Sequence[str], npt.NDArray[np.float32]]
"""Reference phones and scaled likelihoods [T, C]."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One point of the grid; `per` in per cent, silence counted."""

    acoustic_scale: float
    insertion_penalty: float
    lm_weight: float
    per: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """The chosen point and all that were tried; `at_edge` names the recipe's lists whose end was chosen, where a value
    beyond might be better."""

    acoustic_scale: float
    insertion_penalty: float
    lm_weight: float
    per: float
    at_edge: list[str]
    trials: list[Trial]


def tune(
    utterances: Iterable[Utterance],
    weighted_graph: Callable[[float], Graph],
    phones: Sequence[str],
    config: DecodingConfig,
    phone_set: PhoneSetName = "timit39",
) -> Tuned:
    """Decodes the dev set with each point of the recipe's lists; the lowest PER wins.

    `weighted_graph` makes the graph for a weight of the language model. Among equal PERs the point nearest to the
    middle of the grid wins, then the smaller scale, penalty and weight. The PER counts silence and is that of
    `phone_set`. `utterances` is iterated anew for each point of the grid, so it is no generator. Raises InputError when
    there is no reference phone.
    """
    scales, penalties = sorted(set(config.acoustic_scales)), sorted(set(config.insertion_penalties))
    weights = sorted(set(config.lm_weights))
    trials = []
    for weight in weights:
        graph = weighted_graph(weight)
        for penalty in penalties:
            decoder = Decoder(graph, config.beam, penalty)
            trials += [
                Trial(scale, penalty, weight, _per(utterances, decoder, scale, phones, phone_set)) for scale in scales
            ]

    def rank(trial: Trial) -> tuple[float, float, float, float, float]:
        off_centre = _off_centre(scales, trial.acoustic_scale) + _off_centre(penalties, trial.insertion_penalty)
        off_centre += _off_centre(weights, trial.lm_weight)
        return trial.per, off_centre, trial.acoustic_scale, trial.insertion_penalty, trial.lm_weight

    best = min(trials, key=rank)
    at_edge = ["acoustic_scales"] * _at_edge(scales, best.acoustic_scale)
    at_edge += ["insertion_penalties"] * _at_edge(penalties, best.insertion_penalty)
    at_edge += ["lm_weights"] * _at_edge(weights, best.lm_weight)
    return Tuned(best.acoustic_scale, best.insertion_penalty, best.lm_weight, best.per, at_edge, trials)


def tune_posterior_scale(
    dev: Iterable[tuple[Transcript, LogPosteriors]], search: Search, phone_set: PhoneSetName = "timit39"
) -> float:
    """The posterior scale whose confidences tell most of which phones of the dev set are right.

    `dev` are references with log posteriors [T, C], iterated anew for each scale. Where all phones are right, or none,
    the search's own.
    """
    from asr.scoring.calibration import judge, normalized_cross_entropy

    told = {}
    for scale in POSTERIOR_SCALES:
        scaled = replace(search, posterior_scale=scale)
        pairs = ((reference, decode_utterance(reference, posteriors, scaled)) for reference, posteriors in dev)
        told[scale] = normalized_cross_entropy(*judge(pairs, phone_set))
    known = {scale: value for scale, value in told.items() if value is not None}
    return max(known, key=lambda scale: known[scale]) if known else search.posterior_scale


def _per(
    dev: Iterable[Utterance], decoder: Decoder, scale: float, phones: Sequence[str], phone_set: PhoneSetName
) -> float:
    from asr.scoring.score import counted_per

    return counted_per(
        (
            (reference, [phones[span.phone] for span in decoder.decode(likelihoods, scale).phones])
            for reference, likelihoods in dev
        ),
        phone_set,
    )


def _at_edge(values: Sequence[float], value: float) -> bool:
    return len(values) > 1 and value in (values[0], values[-1])


def _off_centre(values: Sequence[float], value: float) -> float:
    return abs(values.index(value) - (len(values) - 1) / 2)
