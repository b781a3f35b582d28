"""Confidence intervals of an error rate, and of the difference between two, by resampling blocks of utterances."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
_SAMPLES_AT_ONCE = 1000  # bounds memory where there are thousands of blocks


def interval(errors: Sequence[int], phones: Sequence[int], samples: int, seed: int) -> tuple[float, float]:
    """The 95% interval of the PER, in per cent.

    Bisani & Ney (2004), "Bootstrap estimates for confidence intervals in ASR performance evaluation": draw
    as many blocks as there are, with replacement, and take the 2.5% and 97.5% quantiles of the drawn error rates.
    `errors` [blocks] and `phones` [blocks] (reference phones) are sums over blocks that are independent of each other,
    such as speakers. With fewer than about ten blocks the interval is too narrow.
    """
    return _quantiles(_drawn_rates(errors, phones, samples, seed))


def paired_interval(
    first: Sequence[int], second: Sequence[int], phones: Sequence[int], samples: int, seed: int
) -> tuple[tuple[float, float], float]:
    """The 95% interval of the second system's PER minus the first's, in points, and its probability of improvement.

    Both systems' errors, `first` and `second` [blocks], are counted on the same blocks, and each draw takes the same
    blocks for both, so that a speaker who is hard for both cancels out. The probability of improvement is the share of
    the draws in which the second system has fewer errors, with ties counted as half (Bisani & Ney 2004).
    """
    differences = np.asarray(second, np.int64) - np.asarray(first, np.int64)
    drawn = _drawn_rates(differences, phones, samples, seed)
    return _quantiles(drawn), float(np.mean((drawn < 0) + 0.5 * (drawn == 0)))


def _drawn_rates(
    errors: Sequence[int] | npt.NDArray[np.int64], phones: Sequence[int], samples: int, seed: int
) -> npt.NDArray[np.float64]:
    """The error rate of each draw [samples], in per cent."""
    table = np.stack([np.asarray(errors), np.asarray(phones)], axis=1).astype(np.float64)
    blocks = len(table)
    generator = np.random.default_rng(seed)
    rates = []
    for start in range(0, samples, _SAMPLES_AT_ONCE):
        draws = generator.multinomial(blocks, np.full(blocks, 1 / blocks), size=min(_SAMPLES_AT_ONCE, samples - start))
        sums = draws @ table
        rates.append(100 * sums[:, 0] / np.maximum(sums[:, 1], 1))
    return np.concatenate(rates)


def _quantiles(rates: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
