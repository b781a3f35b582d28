"""Several items at a time, in threads: the compiled code that does the work runs side by side."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from asr.engines.engine import MOST_WAITING, Start
from asr.threads import in_order

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Threads:
    """The engine of this process: `jobs` threads, each with one torch thread."""

    jobs: int = 1
    device: str = "cpu"
    elsewhere: bool = False

    def map(
        self, start: Start[T, R], groups: Iterable[Sequence[T]], most_waiting: int = MOST_WAITING
    ) -> Generator[tuple[T, R], None, None]:
        """As `Engine.map`; all threads share one work."""
        with closing(in_order(start(self.device), groups, self.jobs, most_waiting)) as done:
            for group, results in done:
                yield from zip(group, results.result(), strict=True)
