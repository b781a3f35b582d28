"""What an engine is: it does the same work on many items somewhere, and gives the results in order."""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Protocol, TypeVar

from asr.errors import InputError

T = TypeVar("T")
R = TypeVar("R")

Work = Callable[[Sequence[T]], list[R]]
"""Gives a result for each of some items; an item that fails has its error as the result."""

Start = Callable[[str], Work[T, R]]
"""Makes the work, given the device that it is to compute on; called once by each worker process."""

MOST_WAITING = 1000
"""Results that may wait for an earlier one: so many short files are done while an hour-long one is."""


class Engine(Protocol):
    """Does work on groups of items; each group is given to the work as a whole."""

    @property
    def device(self) -> str:
        """The device of its workers: cpu, cuda or cuda:N."""
        ...

    @property
    def elsewhere(self) -> bool:
        """Whether the workers are other processes: what they start from, and the items, are sent to them."""
        ...

    def map(
        self, start: Start[T, R], groups: Iterable[Sequence[T]], most_waiting: int = MOST_WAITING
    ) -> Generator[tuple[T, R | InputError], None, None]:
        """Each item with its result, in order, as soon as it is there; an error for an item whose worker died.

        Groups are drawn as there is room, and the results of at most `most_waiting` groups are in memory. A caller
        that may stop early must close it: a worker thread cannot.
        """
        ...
