"""Several items at a time, in threads: the compiled code that does the work runs side by side."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from asr.engines.engine import MOST_WAITING, Start
from asr.threads import one_torch_thread

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

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


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_blas_thread() -> None:
    """NumPy's matrix products in one thread, unless the user has set another number; only before NumPy is loaded.

    Threads of OpenBLAS wait for each other in busy loops, which takes the processor from the other jobs.
    """
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")


def in_order(
    work: Callable[[T], R], items: Iterable[T], jobs: int, most_waiting: int = MOST_WAITING
) -> Generator[tuple[T, Future[R]], None, None]:
    """Each item with its result, in order, as soon as it is there; `jobs` threads work, each with one torch thread.

    Items are drawn as there is room, and at most `most_waiting` results are in memory.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    with one_torch_thread(), ThreadPoolExecutor(jobs) as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(work, item)))
                while waiting and (waiting[0][1].done() or len(waiting) >= most_waiting):
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
