"""A race: many candidates do the same tasks, and those that can hardly win any more are spared the rest.

Maron & Moore 1994, Hoeffding races; with the normal approximation for paired differences in place of a bound, as in
Birattari et al. 2002, A racing algorithm for configuring metaheuristics.
"""

from collections.abc import Callable, Sequence
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from asr.progress import track

BLOCK = 16
"""Tasks between two decisions. With no more tasks than this, every candidate does all of them."""
DEVIATIONS = 4.0
"""A candidate is given up whose errors will exceed those of the leader even if they end so many standard deviations
below what is expected."""

Errors = npt.NDArray[np.int64]


def race(
    errors: Callable[[Sequence[int], Sequence[int]], Errors], candidates: int, tasks: int, description: str
) -> dict[int, int]:
    """The candidates that ran to the end, with their errors in all tasks. Shows its progress by the description.

    `errors` gives those [candidates, tasks] of some candidates in some tasks. Tasks come in an order that is random but
    always the same. The leader is the candidate with the fewest errors so far, the first of several.
    """
    order = np.random.default_rng(0).permutation(tasks)
    running = np.arange(candidates)
    found = np.zeros((candidates, 0), np.int64)
    for start in track(range(0, tasks, BLOCK), description, ceil(tasks / BLOCK)):
        now = order[start : start + BLOCK]
        found = np.concatenate([found, errors(running.tolist(), now.tolist())], axis=1)
        if (left := tasks - found.shape[1]) > 0:
            kept = _can_win(found, left)
            running, found = running[kept], found[kept]
    return dict(zip(running.tolist(), found.sum(axis=1).tolist(), strict=True))


def _can_win(found: Errors, left: int) -> npt.NDArray[np.bool_]:
    """Whether each candidate may still have the fewest errors, given those [candidates, seen] so far."""
    seen = found.shape[1]
    behind = found - found[found.sum(axis=1).argmin()]
    expected = behind.sum(axis=1) * (1 + left / seen)
    # Both the tasks that are left and the mean of those seen, by which they are predicted, vary.
    deviation = behind.std(axis=1, ddof=1) * sqrt(left + left**2 / seen)
    return np.asarray(expected <= DEVIATIONS * deviation)
