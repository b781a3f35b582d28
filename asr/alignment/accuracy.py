"""Accuracy of boundaries against hand labels: how many are within a tolerance, and how far off they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment

TOLERANCES = (5, 10, 20, 50)
"""Milliseconds."""
ROUNDING = 1e-4
"""Milliseconds: a boundary that is off by exactly a tolerance counts as within it, however its time was rounded."""


@dataclass(frozen=True)
class BoundaryAccuracy:
    """The accuracy over all boundaries; `within` has the percentage for each of TOLERANCES, the rest is in
    milliseconds."""

    boundaries: int
    within: dict[int, float]
    mean: float
    median: float
    bias: float
    """The median signed error: above 0 where the boundaries are late."""


def labelled_boundaries(reference: Sequence[PhoneSegment]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Which of the N - 1 places between neighbouring phones have a boundary to measure, and the times (s) of all.

    A place has one if a phone ends as the next begins (no phone that the model does not know lies between them) and
    their symbols differ (two equal ones have no boundary for the model). The beginning and end of the utterance do not
    count. Raises ValueError for a phone without times.
    """
    if any(segment.start is None or segment.end is None for segment in reference):
        raise ValueError("a phone has no times")
    ends = np.array([segment.end for segment in reference[:-1]], np.float64)
    starts = np.array([segment.start for segment in reference[1:]], np.float64)
    symbols = np.array([segment.phone for segment in reference])
    return np.isclose(ends, starts, rtol=0, atol=1e-6) & (symbols[:-1] != symbols[1:]), ends


def boundary_accuracy(errors: npt.NDArray[np.float64]) -> BoundaryAccuracy:
    """The accuracy for signed errors in seconds [N]. Raises InputError where there are none."""
    if len(errors) == 0:
        raise InputError("there is no boundary to measure: the references have no phones with times")
    milliseconds = np.abs(errors) * 1000
    return BoundaryAccuracy(
        boundaries=len(errors),
        within={limit: float(100 * (milliseconds <= limit + ROUNDING).mean()) for limit in TOLERANCES},
        mean=float(milliseconds.mean()),
        median=float(np.median(milliseconds)),
        bias=float(1000 * np.median(errors)),
    )
