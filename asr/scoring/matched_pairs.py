"""NIST's matched-pairs test (MAPSSWE): whether two systems' errors differ on the same utterances.

Gillick & Cox (1989), "Some statistical issues in the comparison of speech recognition algorithms", as NIST's sc_stats
does it (SCTK, mtchprs.c): an utterance is cut into segments wherever both systems have two phones in a row right, so
that the segments' errors are nearly independent of each other; segments in which neither errs are left out. The mean
difference of errors per segment is then compared with its standard error. Unlike sc_stats, insertions of the second
system after an utterance's last phone are counted too.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from asr.scoring.edit_alignment import EditPair, count_errors, reference_of
from asr.scoring.results import ScoreResult

RIGHT_BETWEEN = 2
"""Phones that both systems have right between two segments."""


@dataclass(frozen=True, slots=True)
class MatchedPairs:
    """The number of segments, the z statistic (below zero: the second system has fewer errors), and its two-sided p.

    The normal distribution fits from about 50 segments on.
    """

    segments: int
    z: float
    p: float


def matched_pairs(first: ScoreResult, second: ScoreResult) -> MatchedPairs:
    """The test on two results for the same references, silence counted."""
    differences = np.array(
        [
            errors[1] - errors[0]
            for one, other in zip(first.utterances, second.utterances, strict=True)
            for errors in segments(one.alignments["counted"], other.alignments["counted"])
        ],
        np.float64,
    )
    number = len(differences)
    spread = float(differences.std(ddof=1)) if number > 1 else 0.0
    z = float(differences.mean()) / (spread / math.sqrt(number)) if spread else 0.0
    return MatchedPairs(number, z, math.erfc(abs(z) / math.sqrt(2)))


def segments(first: Sequence[EditPair], second: Sequence[EditPair]) -> Iterator[tuple[int, int]]:
    """The errors of both systems in each segment of an utterance, from the alignments of its reference.

    Where words have several pronunciations, each system may have a reference of its own: the utterance is then one
    segment.
    """
    if reference_of(first) == reference_of(second):
        yield from _cut(first, second)
    elif any(errors := (count_errors(first).errors, count_errors(second).errors)):
        yield errors


def _cut(first: Sequence[EditPair], second: Sequence[EditPair]) -> Iterator[tuple[int, int]]:
    """The segments of an utterance with one reference, which end where both systems are right."""
    errors, right = [0, 0], 0
    for one, other in zip(_by_place(first), _by_place(second), strict=True):
        for system, (inserted, missed) in enumerate((one, other)):
            errors[system] += inserted + missed
        right = 0 if one[0] or other[0] else right
        right = 0 if one[1] or other[1] else right + 1
        if right >= RIGHT_BETWEEN and any(errors):
            yield errors[0], errors[1]
            errors = [0, 0]
    if any(errors):
        yield errors[0], errors[1]


def _by_place(pairs: Sequence[EditPair]) -> list[tuple[int, int]]:
    """For each reference phone, and the utterance's end, the insertions before it and whether it is wrong."""
    places, inserted = [], 0
    for reference, hypothesis in pairs:
        if reference is None:
            inserted += 1
        else:
            places.append((inserted, int(reference != hypothesis)))
            inserted = 0
    return [*places, (inserted, 0)]
