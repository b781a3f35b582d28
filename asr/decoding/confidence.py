"""A confidence for each recognised phone, from the posteriors of all paths through the decoding graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr.decoding.graph.flat_graph import FlatGraph
from asr.decoding.lattice.posteriors import class_posteriors
from asr.decoding.search.path import BestPath
from asr.phones.folding import folding
from asr.phones.phone_set import AnyPhoneSet

POSTERIOR_BEAM = 8.0
"""States below exp(-8) of the best of their frame are left out: too small a share to show in a confidence."""

NEWTON_STEPS = 20
TOLERANCE = 1e-6
POSTERIOR_SCALES = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Factors of all costs; the dev set chooses the one whose posteriors are neither too sure nor too cautious."""

CERTAINTY = 1e-3
"""Posteriors closer to 0 or 1 than this are taken to be this close."""

PRIOR_WEIGHT = 1.0
"""The weight (nats) of the squared distance from the recalibration that changes nothing, which a fit minimises too."""


@dataclass(frozen=True, slots=True)
class Recalibration:
    """A confidence is the logistic function of `offset` plus `slope` times the logit of a posterior (Platt 1999,
    Probabilistic outputs for support vector machines)."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, posteriors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Posteriors [N] -> confidences [N], both from 0 to 1."""
        return _logistic(self.offset + self.slope * _logit(posteriors))


UNCHANGED = Recalibration()


def fit_recalibration(posteriors: npt.NDArray[np.float64], correct: npt.NDArray[np.bool_]) -> Recalibration:
    """The recalibration by which what was correct [N] is the least surprise to the posteriors [N].

    Newton's method, with steps that are halved until they lead downwards.
    """
    inputs = np.stack([_logit(posteriors), np.ones(len(posteriors))], axis=1)
    nothing = np.array([1.0, 0.0])

    def surprise(weights: npt.NDArray[np.float64]) -> float:
        logits = np.where(correct, -1.0, 1.0) * (inputs @ weights)
        return float(np.logaddexp(0.0, logits).sum() + PRIOR_WEIGHT / 2 * np.square(weights - nothing).sum())

    weights = nothing
    for _ in range(NEWTON_STEPS):
        expected = _logistic(inputs @ weights)
        gradient = inputs.T @ (expected - correct) + PRIOR_WEIGHT * (weights - nothing)
        curvature = (inputs * (expected * (1 - expected))[:, None]).T @ inputs + PRIOR_WEIGHT * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while surprise(weights - step) > surprise(weights) and np.abs(step).max() > TOLERANCE:
            step = step / 2
        weights = weights - step
    slope, offset = weights.round(4).tolist()
    return Recalibration(slope, offset)


def _logit(posteriors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    sure = np.clip(posteriors, CERTAINTY, 1 - CERTAINTY)
    return np.log(sure) - np.log1p(-sure)


def _logistic(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-values)))


def phone_groups(phones: Sequence[str], phone_set: AnyPhoneSet) -> npt.NDArray[np.int32]:
    """[P] a number for each phone, equal for phones that scoring folds together."""
    folded = [folding(phone_set)[phone] or phone for phone in phones]
    return np.array([folded.index(phone) for phone in folded], np.int32)


def phone_confidences(
    flat: FlatGraph,
    scores: npt.NDArray[np.float32],
    path: BestPath,
    acoustic_scale: float,
    posterior_scale: float,
    groups: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """[N] for each phone of a path, the mean over its frames of the posterior of its group of phones.

    The posterior of a phone in a frame is that of all paths that are in the phone there, a path weighing
    exp(-posterior_scale * cost) (Wessel et al. 2001, Confidence measures for large vocabulary continuous speech
    recognition, section III-C; with the mean over frames instead of their maximum). Frames of blanks do not count.
    """
    if not path.phones:
        return np.zeros(0)
    posteriors = class_posteriors(flat, scores, acoustic_scale, posterior_scale, POSTERIOR_BEAM)
    phone_of = flat.class_phones
    group_of = np.where(phone_of < 0, -1, groups[phone_of])
    firsts = np.array([span.first for span in path.phones])
    lengths = np.diff([*firsts, len(scores)])
    spoken = np.repeat(groups[[span.phone for span in path.phones]], lengths)
    frames = np.arange(firsts[0], len(scores))
    members = (group_of[:, None] == np.arange(len(groups))).astype(np.float32)
    masses = (posteriors[frames] @ members)[np.arange(len(frames)), spoken].astype(np.float64)
    own = group_of[path.classes[frames]] == spoken
    starts = firsts - firsts[0]
    return np.minimum(np.add.reduceat(masses * own, starts) / np.add.reduceat(own, starts), 1.0)
