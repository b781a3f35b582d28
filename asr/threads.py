"""How many threads compute."""

import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from math import ceil
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""The environment variables that set how threads of OpenMP wait for each other."""

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
THREADS = "OMP_NUM_THREADS"
_chosen: set[str] = set()
"""Values of THREADS that asr has set, and not the user."""
_sharing = 1
"""Processes of this machine that compute side by side."""
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""Microseconds of processor time in each period of so many, or `max` (Linux, control group v2)."""


def share_the_processor() -> None:
    """Sets how PyTorch's threads run, unless the user has; only before PyTorch is loaded.

    They sleep while they wait for each other: by default they spin, which takes the processor from other programs, and
    from each other where these are busy. There are no more of them than a container's limit allows.
    """
    if not any(name in os.environ for name in WAITING):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    if THREADS not in os.environ and (cores := available_cores()) < usable_cores():
        os.environ[THREADS] = str(cores)
        _chosen.add(str(cores))


def environment_of_each(processes: int) -> dict[str, str]:
    """The environment of each of several processes: an equal share of the cores, unless the user has set another."""
    if THREADS in os.environ and os.environ[THREADS] not in _chosen:
        return dict(os.environ)
    return {**os.environ, THREADS: str(max(1, available_cores() // processes))}


def one_blas_thread() -> None:
    """NumPy's matrix products in one thread, unless the user has set another number; only before NumPy is loaded.

    Threads of OpenBLAS spin while they wait for each other, which takes the processor from the other jobs.
    """
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")


def usable_cores() -> int:
    """The cores on which this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_cores(limit: Path = CPU_LIMIT) -> int:
    """The cores whose time this process may use up: fewer than `usable_cores` in a container with a limit."""
    try:
        quota, period = map(float, limit.read_text().split())
    except (OSError, ValueError):
        return usable_cores()
    return max(1, min(usable_cores(), ceil(quota / period)))


@contextmanager
def side_by_side(processes: int) -> Iterator[None]:
    """Within it, `in_threads` takes its share of the cores: so many processes of this machine compute at once."""
    global _sharing
    before, _sharing = _sharing, processes
    try:
        yield
    finally:
        _sharing = before


def in_threads(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What `work` makes of each item, in order, by a thread for each core; a few items are drawn ahead.

    Worth it for compiled code that releases Python's lock.
    """
    cores = max(1, available_cores() // _sharing)
    with closing(in_order(work, items, cores, most_waiting=2 * cores)) as done:
        for _, result in done:
            yield result.result()


def in_order(
    work: Callable[[T], R], items: Iterable[T], jobs: int, most_waiting: int
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


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Small products take longer in two threads than in one, and far longer where another process is busy."""
    if (torch := sys.modules.get("torch")) is None:  # a model that needs none
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        if before > 1:  # otherwise this is within another: a generator that is left may end after the one around it
            torch.set_num_threads(before)
