"""The histories of an n-gram as a tree of arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr.lm.backoff import Level

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Histories:
    """Histories by number. 0 is the empty one; each other is one that is a symbol shorter, with a symbol more. Shorter
    ones come first. What a history begins with is one, and so is what has a back-off weight.

    `keys` [H - 1]: `symbols` times the number of what a history begins with, and its last symbol, in ascending order.
    `firsts`: the number of the first history of each length, and H.
    """

    symbols: int
    keys: Numbers
    firsts: Sequence[int]

    def __len__(self) -> int:
        return len(self.keys) + 1

    def after(self, histories: Numbers, symbols: Numbers) -> Numbers:
        """The numbers [N] of histories [N] with one more symbol each [N]; 0 for what is none."""
        wanted = histories * self.symbols + symbols
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[places] == wanted, places + 1, 0)

    def of_length(self, length: int) -> slice:
        """The numbers of the histories of so many symbols."""
        return slice(*self.firsts[length : length + 2])

    def beginnings(self, numbers: slice) -> tuple[Numbers, Numbers]:
        """What each of these N histories begins with [N], and its last symbol [N]."""
        return np.divmod(self.keys[numbers.start - 1 : numbers.stop - 1], self.symbols)

    def shorter(self) -> Numbers:
        """The longest history that is an end of each [H]; 0 for the empty one."""
        shorter = np.zeros(len(self), np.int64)
        for length in range(2, len(self.firsts) - 1):
            beginnings, symbols = self.beginnings(self.of_length(length))
            ends = shorter[beginnings]
            found = self.after(ends, symbols)
            while (missing := (found == 0) & (ends > 0)).any():
                ends = np.where(missing, shorter[ends], ends)
                found = np.where(missing, self.after(ends, symbols), found)
            shorter[self.of_length(length)] = found
        return shorter


def histories_of(levels: Sequence[Level], symbols: int, start: int) -> tuple[Histories, list[Numbers]]:
    """The histories of a model over so many symbols, with `start` alone; and the number of each n-gram's, by level."""
    keys: list[Numbers] = []
    firsts = [0, 1]
    before = [np.zeros(len(level.symbols), np.int64) for level in levels]
    for length in range(1, max(2, len(levels))):
        longer = [
            numbers * symbols + level.symbols[:, length - 1]
            for numbers, level in zip(before[length - 1 :], levels[length - 1 :], strict=True)
        ]
        longer[0] = longer[0][~np.isnan(levels[length - 1].backoffs)]
        keys.append(np.unique(np.concatenate([*longer, [start] if length == 1 else []]).astype(np.int64)))
        for level, own in enumerate(longer[1:], length):
            before[level] = firsts[-1] + np.searchsorted(keys[-1], own)
        firsts.append(firsts[-1] + len(keys[-1]))
    return Histories(symbols, np.concatenate(keys), firsts), before
