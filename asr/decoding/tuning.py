"""Choosing the scales of likelihoods and priors, insertion penalty and weight of the language model on the dev set.

The acoustic model runs once. Each point of the grid is then a separate search over its scores, which takes about a
thousandth of the audio's time: a point gets the PER that decoding gives there, not one from another point's lattice.
The points race: one that is clearly worse than another on part of the dev set is not tried on the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from asr.acoustics.posteriors import LogPosteriors
from asr.config import DecodingConfig
from asr.decoding.confidence import POSTERIOR_SCALES, UNCHANGED, Recalibration, fit_recalibration
from asr.decoding.decode import Decoder, written_scores
from asr.decoding.grid import LISTS, GridErrors, SearchFor, ViterbiFor, grid_lists, grid_points
from asr.decoding.race import race
from asr.formats.transcript import Transcript
from asr.phones.phone_set import AnyPhoneSet
from asr.scoring.calibration import normalized_cross_entropy, right_phones
from asr.scoring.counted import ErrorCounter
from asr.threads import in_threads

Utterance = tuple[Sequence[str], LogPosteriors]
"""Reference phones and log posteriors."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A point of the grid (see `asr.decoding.grid.Point`); `per` in per cent, silence counted."""

    acoustic_scale: float
    insertion_penalty: float
    lm_weight: float
    prior_scale: float
    per: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """The chosen point and all that were tried on the whole dev set; `at_edge` has the recipe's lists whose first or
    last value was chosen: one beyond it might be better."""

    acoustic_scale: float
    insertion_penalty: float
    lm_weight: float
    prior_scale: float
    per: float
    at_edge: list[str]
    trials: list[Trial]


def tune(
    utterances: Sequence[Utterance],
    priors: npt.NDArray[np.float64],
    search_for: SearchFor,
    phones: Sequence[str],
    config: DecodingConfig,
    phone_set: AnyPhoneSet = "timit39",
    viterbi_for: ViterbiFor | None = None,
) -> Tuned:
    """Decodes the dev set with the points of the recipe's lists; the lowest PER wins.

    `priors` [C] are probabilities; `search_for` makes the search for a language model weight and a penalty, and is
    called once for each; `viterbi_for` is that of `GridErrors`. Among equal PERs the point nearest to the middle of the
    grid wins, then the smaller values. The PER counts silence and is that of `phone_set`. Raises InputError when there
    is no reference phone.
    """
    counter = ErrorCounter((spoken for spoken, _ in utterances), phones, phone_set)
    lists = grid_lists(config)
    points = grid_points(lists)
    posteriors = [each for _, each in utterances]
    viterbi = None if viterbi_for is None else cache(viterbi_for)
    grid = GridErrors(points, posteriors, priors, cache(search_for), counter, viterbi)
    errors = race(grid, len(points), len(utterances), "tuning on dev")
    trials = [Trial(*points[number], counter.per(count)) for number, count in errors.items()]

    def rank(trial: Trial) -> tuple[float, ...]:
        point = astuple(trial)[:-1]
        off_centre = sum(_off_centre(values, value) for values, value in zip(lists, point, strict=True))
        return trial.per, off_centre, *point

    best = min(trials, key=rank)
    at_edge = [
        name
        for name, values, value in zip(LISTS.values(), lists, astuple(best)[:-1], strict=True)
        if _at_edge(values, value)
    ]
    return Tuned(**asdict(best), at_edge=at_edge, trials=trials)


def tune_confidences(
    dev: Sequence[tuple[Transcript, LogPosteriors]], decoder: Decoder, phone_set: AnyPhoneSet = "timit39"
) -> tuple[float, Recalibration]:
    """The posterior scale and the recalibration whose confidences best tell which phones of the dev set are right.

    `dev` has references with log posteriors. Of POSTERIOR_SCALES those are tried that lead uphill. Where all phones are
    right, or none, the decoder's own are kept.
    """
    found = list(in_threads(lambda item: (item[1], decoder.best_path(item[1])), dev))
    recognised = ([decoder.phones[span.phone] for span in path.phones] for _, path in found)
    right = right_phones(zip((spoken.symbols for spoken, _ in dev), recognised, strict=True), phone_set)
    judged = np.array([each is not None for marks in right for each in marks], np.bool_)
    correct = np.array([each for marks in right for each in marks if each is not None], np.bool_)

    @cache
    def fit(place: int) -> tuple[float, Recalibration]:
        scaled = replace(decoder, posterior_scale=POSTERIOR_SCALES[place], recalibration=UNCHANGED)
        scores = in_threads(lambda each: written_scores(scaled.confidences(*each)), found)
        posteriors = np.array([score for row in scores for score in row])[judged]
        recalibration = fit_recalibration(posteriors, correct)
        information = normalized_cross_entropy(recalibration(posteriors), correct)
        return -np.inf if information is None else information, recalibration

    place = climb(lambda place: fit(place)[0], len(POSTERIOR_SCALES))
    information, recalibration = fit(place)
    if information == -np.inf:
        return decoder.posterior_scale, decoder.recalibration
    return POSTERIOR_SCALES[place], recalibration


def climb(value: Callable[[int], float], places: int) -> int:
    """The place of the highest value, found from the middle uphill: of several peaks, the one that it leads to.

    Of equal values it takes the first.
    """
    place, previous = (places - 1) // 2, -1
    while place != previous:
        previous = place
        place = max(range(max(place - 1, 0), min(place + 2, places)), key=lambda near: (value(near), -near))
    return place


def _at_edge(values: Sequence[float], value: float) -> bool:
    return len(values) > 1 and value in (values[0], values[-1])


def _off_centre(values: Sequence[float], value: float) -> float:
    return abs(values.index(value) - (len(values) - 1) / 2)
