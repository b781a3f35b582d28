"""Work that is divided among processes."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from asr.processes.ranks import on_this_machine, rank, world_size

T = TypeVar("T")


class Share(NamedTuple):
    """Part `number` of some work that is divided into `of` runs of about the same size."""

    number: int = 0
    of: int = 1

    def has(self, done: float, total: float) -> bool:
        """Whether an item is in this part that has `done` of a `total` before it."""
        return min(int(done * self.of / total) if total else 0, self.of - 1) == self.number

    def own(self, groups: Iterable[list[T]], length: Callable[[T], float], total: float) -> Iterator[list[T]]:
        """The groups in this part; the items of all have a `total` length."""
        done = 0.0
        for group in groups:
            if self.has(done, total):
                yield group
            done += sum(map(length, group))


WHOLE = Share()


def of_machine() -> Share:
    """This machine among all of them, which have equally many processes."""
    return Share(rank() // on_this_machine(), world_size() // on_this_machine())
