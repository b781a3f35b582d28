"""A confidence for each recognised phone, from the posteriors of all paths through the decoding graph."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asr.config import PhoneSetName
from asr.decoding.flat_graph import FlatGraph
from asr.decoding.posteriors import class_posteriors
from asr.decoding.search import Path
from asr.phones.phone_set import folding

POSTERIOR_BEAM = 8.0
"""exp(-8) of a frame's best state is left out: a share too small to show in a confidence."""

POSTERIOR_SCALES = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Factors of all costs, from which the dev set chooses that whose posteriors are neither too sure nor too modest."""


def phone_groups(phones: Sequence[str], phone_set: PhoneSetName) -> npt.NDArray[np.int32]:
    """[P] a number for each phone, the same for phones that scoring folds to the same one."""
    folded = [folding(phone_set)[phone] or phone for phone in phones]
    return np.array([folded.index(phone) for phone in folded], np.int32)


def phone_confidences(
    flat: FlatGraph,
    scores: npt.NDArray[np.float32],
    path: Path,
    acoustic_scale: float,
    posterior_scale: float,
    groups: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """[N] for each phone of a path the mean, over its frames, of the posterior of the phones of its group.

    The posterior of a phone in a frame is that of all paths that are in the phone there, a path weighing
    exp(-posterior_scale * cost) (Wessel et al. 2001, Confidence measures for large vocabulary continuous speech
    recognition, section III-C; the mean over frames in the place of their maximum). Frames of blanks do not count.
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
