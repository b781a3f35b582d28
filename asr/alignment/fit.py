"""How well a transcript fits its audio, measured by what the model expects of its own posteriors."""

import math

import numpy as np

from asr.acoustics.posteriors import LogPosteriors
from asr.alignment.forced_alignment import ForcedAlignment
from asr.alignment.graph import Indices, Vector
from asr.phones.classes import BLANK, Topology
from asr.phones.folding import folding
from asr.phones.phone_set import AnyPhoneSet, load_phone_set, silences

UNFIT = 0.15
"""The fit below which a transcript is not that of its audio, or only of a part. Chosen on the dev speakers of the TIMIT
sample, where the lowest of a right transcript is 0.34, the highest of the next utterance's 0.04, and of one of two
utterances 0.11 (`benchmarks/long_recordings.py --split dev`)."""
LEAST = 1e-4
"""The least posterior of a phone, so that a few frames do not decide."""
QUIET = 0.5
"""The probability of silence from which a frame counts only if the transcript has speech there."""


class FitMeasure:
    """The fit of an alignment: exp of the mean over frames of log p(aligned phone) + H(p).

    p are the posteriors of phones in a frame and H is their entropy: -H is the expected value of the logarithm for
    phones drawn from p, so that the fit of a right transcript is near 1 for a model whose posteriors are calibrated,
    sharp or not, and lower for one that is too sure. Frames count if speech is likely there or aligned to them. Phones
    that scoring folds together are one group: `class_groups` [C] are the groups of the classes, and `quiet` [G] says
    which groups are silences.
    """

    def __init__(self, phones: AnyPhoneSet, topology: Topology, states: int, scored_as: AnyPhoneSet) -> None:
        known, folded = load_phone_set(phones), folding(scored_as)
        names = [folded.get(phone) or phone for phone in known]
        groups = {name: number for number, name in enumerate(dict.fromkeys(names))}
        silent = known.unspoken | silences(scored_as)
        self._phone_groups = np.array([groups[name] for name in names])
        self._quiet_phones = np.array([bool({phone, name} & silent) for phone, name in zip(known, names, strict=True)])
        blank = [len(groups)] if topology == "ctc" else []
        per_phone = 1 if topology == "ctc" else states
        self.class_groups = np.array([*blank, *np.repeat(self._phone_groups, per_phone)])
        quiet = np.array([True] * len(blank) + np.repeat(self._quiet_phones, per_phone).tolist())
        self._blank = topology == "ctc"
        members = self.class_groups[:, None] == np.arange(len(groups) + len(blank))
        self._members, self.quiet = members.astype(np.float32), (members & quiet[:, None]).any(axis=0)

    def evidence(self, log_posteriors: LogPosteriors, aligned: ForcedAlignment) -> Vector:
        """[2, N]: the sum of those terms for the frames of each phone, and their number, for natural log posteriors
        [T, C]."""
        posteriors = (np.exp(log_posteriors) @ self._members).astype(np.float64)
        groups = self.class_groups[aligned.classes]
        counted = ~self.quiet[groups] | (posteriors[:, self.quiet].sum(axis=1) < QUIET)
        chosen = posteriors[np.arange(len(groups)), groups]
        chosen[_missed(log_posteriors, aligned.classes) if self._blank else []] = LEAST
        entropy = -(posteriors * np.log(np.maximum(posteriors, LEAST))).sum(axis=1)
        nats = np.log(np.maximum(chosen, LEAST)) + entropy
        first = np.concatenate([[0], aligned.first_frames[1:]])
        return np.add.reduceat(np.stack([nats * counted, counted]), first, axis=1)

    def spoken_groups(self, phones: Indices, places: Indices) -> tuple[Indices, Indices]:
        """The groups of those of the phones [N] that are spoken, and their places [N]; equal neighbours are one."""
        spoken = ~self._quiet_phones[phones]
        groups, places = self._phone_groups[phones[spoken]], places[spoken]
        new = np.ones(len(groups), np.bool_)
        new[1:] = groups[1:] != groups[:-1]
        return groups[new], places[new]


def fit_of(evidence: Vector) -> float | None:
    """The fit, 0 to 1, of the evidence of phones [2, N]; None without speech."""
    nats, frames = evidence.sum(axis=1).tolist()
    return round(math.exp(min(nats / frames, 0.0)), 4) if frames else None


def _missed(log_posteriors: LogPosteriors, classes: Indices) -> Indices:
    """The frames in which a CTC model gives a phone where an alignment has only blanks, which it takes for likely."""
    free = log_posteriors.argmax(axis=1)
    spikes = np.flatnonzero(free != BLANK)
    runs = np.cumsum(np.diff(spikes, prepend=-2) > 1) - 1
    found = np.bincount(runs, classes[spikes] != BLANK) > 0
    return spikes[~found[runs]]
