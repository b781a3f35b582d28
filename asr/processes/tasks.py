"""Tasks that process 0 gives the other processes."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from asr.processes.lost import LostProcessError
from asr.processes.ranks import are_several, rank, world_size
from asr.processes.share import of_machine

if TYPE_CHECKING:
    from torch.distributed import Store

_WAIT = 0.1  # seconds between looks at messages
_SIGN_OF_LIFE = 5.0  # seconds between those of a process that does a task
SILENCE = 120.0  # seconds without one, after which its machine counts as lost

Task = dict[str, Any]
"""What another process is to do, as JSON."""


def _nobody(task: Task) -> Callable[[], list[Any]]:
    return list


@dataclass(frozen=True)
class Others:
    """The other processes, as process 0 sees them; `machines` have equally many processes each."""

    count: int = 0
    machines: int = 1
    give: Callable[[Task], Callable[[], list[Any]]] = _nobody

    def __call__(self, **task: Any) -> Callable[[], list[Any]]:
        """Starts a task in all of them; returns a function that waits for their results, in order of their numbers.

        It raises LostProcessError where one of them has gone.
        """
        return self.give(task)

    def at(self, **where: Any) -> "Others":
        """The same, with something added to each task."""
        return replace(self, give=lambda task: self.give(where | task))


ALONE = Others()


@contextmanager
def leading() -> Iterator[Others]:
    """In process 0: yields the others, who `do_tasks`; at the end of the `with` they leave."""
    if not are_several():
        yield ALONE
        return
    store, given = _store(), 0

    def give(task: Task | None) -> Callable[[], list[Any]]:
        nonlocal given
        store.set(str(given), json.dumps(task))
        given += 1
        return partial(_results, store, given - 1)

    try:
        yield Others(world_size() - 1, of_machine().of, give)
    finally:
        give(None)


def _results(store: "Store", number: int) -> list[Any]:
    """What each of the others returned for a task, once all have done it."""
    others = range(1, world_size())
    seen = dict.fromkeys(others, (0, time.monotonic()))  # signs of life, and when there were that many
    while not store.check([_result(number, other) for other in others]):
        for other in others:
            signs, since = store.add(_life(other), 0), time.monotonic()
            if signs != seen[other][0]:
                seen[other] = signs, since
            elif since - seen[other][1] > SILENCE and not store.check([_result(number, other)]):
                raise LostProcessError(f"process {other} does not answer")
        time.sleep(_WAIT)
    return [json.loads(store.get(_result(number, other))) for other in others]


def do_tasks(do: Callable[[Task], Any]) -> None:
    """In the other processes: does the tasks that process 0 gives, until it has no more; what `do` returns is JSON."""
    store, taken = _store(), 0
    while True:
        while not store.check([str(taken)]):
            time.sleep(_WAIT)
        task = json.loads(store.get(str(taken)))
        if task is None:
            return
        with _alive(store):
            result = do(task)
        store.set(_result(taken, rank()), json.dumps(result))
        taken += 1


@contextmanager
def _alive(store: "Store") -> Iterator[None]:
    """Gives signs of life from a thread."""
    ended = threading.Event()

    def give_signs() -> None:
        with suppress(RuntimeError):  # the store has gone: the task, or what follows it, notices
            while not ended.is_set():
                store.add(_life(rank()), 1)
                ended.wait(_SIGN_OF_LIFE)

    thread = threading.Thread(target=give_signs, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _result(number: int, process: int) -> str:
    return f"{number}/{process}"


def _life(process: int) -> str:
    return f"alive/{process}"


def _store() -> "Store":
    from torch.distributed import PrefixStore, rendezvous

    store, _, _ = next(rendezvous("env://"))
    return PrefixStore(f"asr/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
