"""Several recordings at a time, in threads: the compiled code that does the work runs side by side."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from asr.threads import one_torch_thread

MOST_WAITING = 1000
"""Results that wait for an earlier one. While an hour is recognised, so many short files are done beside it."""

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

T = TypeVar("T")
R = TypeVar("R")


def one_blas_thread() -> None:
    """NumPy's matrix products in one thread, unless the user has set another number; only before NumPy is loaded.

    Threads of OpenBLAS wait for each other in busy loops, which takes the processor from the other jobs.
    """
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")


def in_order(work: Callable[[T], R], items: Iterable[T], jobs: int) -> Iterator[tuple[T, Future[R]]]:
    """Each item with its result, in order, as soon as it is there; `jobs` threads work, each with one torch thread.

    Items are drawn as there is room, and at most MOST_WAITING results are in memory.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    with one_torch_thread(), ThreadPoolExecutor(jobs) as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(work, item)))
                while waiting and (waiting[0][1].done() or len(waiting) >= MOST_WAITING):
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
