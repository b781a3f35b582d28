"""Where a long recording and its transcript meet: phones that were recognised as the transcript has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from asr.alignment.graph import Indices, Item
from asr.compiled import compiled

ORDER = 5
"""Phones in a row that are alike. At a phone error rate of 50 % that is one place in 30, or one every three seconds."""
MOST_PAIRS = 10_000
"""A row of phones that could be at more pairs of places than this says nothing about where it is."""
NEIGHBOURS = 5
STRAY = 8
"""Phones; a place that is further from the line through its neighbours is there by chance."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """An item of the transcript and the frame in which it, or a phone inside it, begins."""

    frame: int
    item: int


def expected_phones(items: Sequence[Item]) -> tuple[Indices, Indices]:
    """The phones [N] of a transcript, by the first of each choice, and the item that each comes from [N]."""
    found = [(phone, number) for number, item in enumerate(items) for phone in _first(item)]
    phones, numbers = zip(*found, strict=True) if found else ((), ())
    return np.array(phones, np.int64), np.array(numbers, np.int64)


def _first(item: Item) -> Iterator[int]:
    if isinstance(item, int):
        yield item
    elif item:
        for inner in item[0]:
            yield from _first(inner)


def find_anchors(heard: Indices, frames: Indices, expected: Indices, items: Indices) -> list[Anchor]:
    """The anchors of recognised phones [N], which begin in `frames` [N], and a transcript's phones [M] of `items` [M].

    The longest chain of rows of ORDER equal phones that is in order on both sides (Hunt & Szymanski 1977, A fast
    algorithm for computing longest common subsequences), without those that stray from it. An anchor is in the middle
    of its row.
    """
    left, right = _pairs(_rows(heard), _rows(expected))
    chain = _longest_chain(right)
    left, right = left[chain], right[chain]
    if len(left) == 0:
        return []
    lines = np.lib.stride_tricks.sliding_window_view(np.pad(right - left, NEIGHBOURS, mode="edge"), 2 * NEIGHBOURS + 1)
    near = np.abs(right - left - np.median(lines, axis=1)) <= STRAY
    left, right = left[near] + ORDER // 2, right[near] + ORDER // 2
    return [Anchor(*place) for place in zip(frames[left].tolist(), items[right].tolist(), strict=True)]


def _rows(phones: Indices) -> Indices:
    """[N - ORDER + 1]: a number for each row of ORDER phones, equal for equal rows."""
    if len(phones) < ORDER:
        return np.zeros(0, np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(phones, ORDER)
    return np.asarray(windows @ (np.int64(4096) ** np.arange(ORDER, dtype=np.int64)))


def _pairs(heard: Indices, expected: Indices) -> tuple[Indices, Indices]:
    """The places of equal rows, in order of the first and, for equal ones, falling in the second."""
    order = np.argsort(expected, kind="stable")
    ordered = expected[order]
    begin, end = np.searchsorted(ordered, heard, "left"), np.searchsorted(ordered, heard, "right")
    _, kind, counts = np.unique(heard, return_inverse=True, return_counts=True)
    matches = np.where(counts[kind] * (end - begin) <= MOST_PAIRS, end - begin, 0)
    left = np.repeat(np.arange(len(heard)), matches)
    offsets = np.arange(len(left)) - np.repeat(np.cumsum(matches) - matches, matches)
    return left, order[np.repeat(end, matches) - 1 - offsets]


@compiled
def _longest_chain(values: Indices) -> Indices:
    """The places of a longest strictly rising subsequence."""
    tails = np.zeros(len(values), np.int64)  # the place of the least last value of the chains of each length
    before = np.full(len(values), -1)
    length = 0
    for place in range(len(values)):
        low, high = 0, length
        while low < high:
            middle = (low + high) // 2
            if values[tails[middle]] < values[place]:
                low = middle + 1
            else:
                high = middle
        if low:
            before[place] = tails[low - 1]
        tails[low] = place
        length = max(length, low + 1)
    chain = np.zeros(length, np.int64)
    place = tails[length - 1] if length else -1
    for number in range(length - 1, -1, -1):
        chain[number] = place
        place = before[place]
    return chain
