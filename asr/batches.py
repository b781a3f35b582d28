"""Utterances that are computed together, padded to the longest."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def padded_batches(items: Iterable[T], length: Callable[[T], float], limit: float) -> Iterator[list[T]]:
    """Groups of items, in order, whose lengths are at most `limit` including padding; a longer one is alone."""
    batch: list[T] = []
    longest = 0.0
    for item in items:
        longest = max(longest, length(item))
        if batch and longest * (len(batch) + 1) > limit:
            yield batch
            batch, longest = [], length(item)
        batch.append(item)
    if batch:
        yield batch
