"""Confidence intervals of an error rate, and of the difference between two, by resampling blocks of utterances."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Counted = Sequence[int] | npt.NDArray[np.int64]

LEVEL = 0.95
MOST_BLOCKS, GROUPS = 100_000, 10_000
"""Above so many blocks, groups of consecutive ones are resampled: the variance that 10,000 groups show is within 1%
of that of all, and drawing a million blocks 10,000 times takes minutes."""

_NUMBERS_AT_ONCE = 4_000_000
"""Of the draws in memory."""


def intervals(
    errors: Sequence[Counted], phones: Sequence[Counted], samples: int, seed: int
) -> list[tuple[float, float]]:
    """The 95% interval of each PER, in per cent, with the same draws for all.

    Bisani & Ney (2004), "Bootstrap estimates for confidence intervals in ASR performance evaluation": draw
    as many blocks as there are, with replacement, and take the 2.5% and 97.5% quantiles of the drawn error rates.
    Each of `errors` [blocks] and `phones` [blocks] (reference phones) are sums over blocks that are independent of each
    other, such as speakers. With fewer than about ten blocks the interval is too narrow.

    >>> intervals([[10, 20, 30]], [[100, 100, 100]], samples=1000, seed=0)
    [(10.0, 30.0)]
    """
    return [_quantiles(rates) for rates in _drawn_rates(errors, phones, samples, seed)]


def paired_interval(
    first: Sequence[int],
    second: Sequence[int],
    phones: Sequence[int],
    samples: int,
    seed: int,
    second_phones: Sequence[int] | None = None,
) -> tuple[tuple[float, float], float]:
    """The 95% interval of the second system's PER minus the first's, in points, and its probability of improvement.

    Both systems' errors, `first` and `second` [blocks], are counted on the same blocks, with as many reference phones
    unless `second_phones` has those of the second; and each draw takes the same
    blocks for both, so that a speaker who is hard for both cancels out. The probability of improvement is the share of
    the draws in which the second system has fewer errors, with ties counted as half (Bisani & Ney 2004).
    """
    if second_phones is None:
        differences = np.asarray(second, np.int64) - np.asarray(first, np.int64)
        [drawn] = _drawn_rates([differences], [phones], samples, seed)
    else:
        before, after = _drawn_rates([first, second], [phones, second_phones], samples, seed)
        drawn = after - before
    return _quantiles(drawn), float(np.mean((drawn < 0) + 0.5 * (drawn == 0)))


def _drawn_rates(
    errors: Sequence[Counted], phones: Sequence[Counted], samples: int, seed: int
) -> list[npt.NDArray[np.float64]]:
    """The error rates of each draw [samples], in per cent."""
    table = _grouped(np.stack([np.asarray(column, np.float64) for column in (*errors, *phones)], axis=1))
    blocks = len(table)
    generator = np.random.default_rng(seed)
    at_once = max(_NUMBERS_AT_ONCE // blocks, 1)
    sums = []
    for start in range(0, samples, at_once):
        draws = generator.multinomial(blocks, np.full(blocks, 1 / blocks), size=min(at_once, samples - start))
        sums.append(draws @ table)
    wrong, spoken = np.split(np.concatenate(sums), [len(errors)], axis=1)
    return list((100 * wrong / np.maximum(spoken, 1)).T)


def _grouped(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if len(table) <= MOST_BLOCKS:
        return table
    return np.add.reduceat(table, np.arange(GROUPS) * len(table) // GROUPS)


def _quantiles(rates: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
