"""What every way to decode a file has in common."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK_SECONDS = 10
MOST_VALUES = 1 << 23
"""Of a block: with very many channels it is shorter, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """A file's sample rate in Hz, samples per channel and number of channels."""

    sample_rate: int
    samples: int
    channels: int


class Decoder(Protocol):
    """An open file. `samples` (per channel) is None where only decoding shows it; `warnings` says what was repaired."""

    sample_rate: int
    channels: int
    samples: int | None
    warnings: list[str]

    def blocks(self, first: int, count: int | None) -> Iterator[NDArray[np.float32]]:
        """Samples [S, C] in blocks: `count` from sample `first` on, or less at the file's end; None: to the end.

        Raises InputError where the file is truncated or broken.
        """

    def __enter__(self) -> "Decoder": ...

    def __exit__(self, *error: Any) -> None: ...


def block_length(sample_rate: int, channels: int) -> int:
    """Samples per channel of a block."""
    return max(1, min(BLOCK_SECONDS * sample_rate, MOST_VALUES // channels))


def part(
    blocks: Iterable[NDArray[np.float32]], first: int, count: int | None, size: int
) -> Iterator[NDArray[np.float32]]:
    """`count` samples from sample `first` on of all blocks [S, C] of a file, in blocks of about `size`."""
    held: list[NDArray[np.float32]] = []
    at, end = 0, None if count is None else first + count
    for block in blocks:
        if (kept := block[max(0, first - at) : None if end is None else max(0, end - at)]).size:
            held.append(kept)
        at += len(block)
        if sum(map(len, held)) >= size:
            yield np.concatenate(held)
            held.clear()
        if end is not None and at >= end:
            break
    if held:
        yield np.concatenate(held)
