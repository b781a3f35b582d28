"""The processes that work together, one a device, started by `--devices` or, on one or more machines, by torchrun."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Never, TypeVar

from asr.errors import InputError
from asr.termination import on_sigterm

if TYPE_CHECKING:
    from torch.distributed import Store

LOST_STATUS = 75
"""The exit status of a process that lost contact with another; the other one's end is the reason to report."""

_LAUNCHED = "ASR_LAUNCHED"
_TORCHRUN = "TORCHELASTIC_RUN_ID"
_WAIT = 0.1  # seconds between looks at processes or messages
_GRACE = 10.0  # seconds for the others to end by themselves after one has failed
_SIGN_OF_LIFE = 5.0  # seconds between those of a process that does a task
SILENCE = 120.0  # seconds without one, after which its machine counts as lost

T = TypeVar("T")
Task = dict[str, Any]
"""What another process is to do, as JSON."""


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


class LostProcessError(RuntimeError):
    """Another process has gone."""


def are_several() -> bool:
    """Whether torchrun, or `launch`, started this process beside others."""
    return "LOCAL_WORLD_SIZE" in os.environ


def is_launched() -> bool:
    """Whether it was `launch`."""
    return _LAUNCHED in os.environ


def rank() -> int:
    """This process's number among all; number 0 leads the others."""
    return int(os.environ["RANK"]) if are_several() else 0


def world_size() -> int:
    """How many processes there are, on all machines; 1 where this one works alone."""
    return int(os.environ["WORLD_SIZE"]) if are_several() else 1


def on_this_machine() -> int:
    """How many of the processes share this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if are_several() else 1


def place_on_machine() -> int:
    """This process's number among those of its machine."""
    return int(os.environ["LOCAL_RANK"]) if are_several() else 0


def of_machine() -> Share:
    """This machine among all of them, which have equally many processes."""
    return Share(rank() // on_this_machine(), world_size() // on_this_machine())


def is_lost_process(error: BaseException) -> bool:
    """Whether another process has ended; PyTorch reports it as a RuntimeError."""
    if isinstance(error, LostProcessError):
        return True
    words = ("connection closed by peer", "connection reset by peer", "broken pipe", "connection refused")
    named = type(error).__name__ in ("DistBackendError", "DistNetworkError", "DistStoreError")
    return are_several() and (named or any(word in str(error).lower() for word in words))


def launch(count: int, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs `asr` with the arguments in `count` processes of this machine and returns 0 once all have ended.

    They find each other as torchrun's do: by its environment variables, at a store that this process holds. When one
    fails, the others are ended, its message is shown, and its status is returned. Raises InputError where one was
    killed, and where this process is to end (SIGTERM).
    """
    from torch.distributed import TCPStore

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    shared = {
        **environment,
        _LAUNCHED: "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(store.port),
        _TORCHRUN: "asr",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
    }
    command = [sys.executable, "-m", "asr", *arguments]
    with ExitStack() as stack:
        # The others log what process 0 logs; their messages are shown only where one of them failed alone.
        said = [None, *(stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(count - 1))]
        processes: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, processes)
        stack.enter_context(on_sigterm(_terminate))
        for number, output in enumerate(said):
            own = {**shared, "RANK": str(number), "LOCAL_RANK": str(number)}
            processes.append(
                # Their input ends when this process does; in sessions of their own, Ctrl-C reaches this process alone.
                subprocess.Popen(
                    command,
                    env=own,
                    stdin=subprocess.PIPE,
                    stderr=output or _standard_error(),
                    start_new_session=True,
                )
            )
        statuses = _wait(processes)
        return _reported(statuses, said)


def _terminate() -> Never:
    raise InputError("ended by SIGTERM; rerun the same command to resume")


def _standard_error() -> IO[str] | None:
    """This process's, which need not be the file descriptor that another one inherits; None where it has no file."""
    try:
        sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None
    return sys.stderr


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> list[int | None]:
    """The exit status of each process once all have ended; None for those that had not when one was killed, or a while
    after one failed."""
    deadline = None
    while True:
        statuses = [process.poll() for process in processes]
        killed = any(status is not None and status < 0 for status in statuses)
        if killed or None not in statuses or (deadline is not None and time.monotonic() > deadline):
            return statuses
        if deadline is None and any(statuses):
            deadline = time.monotonic() + _GRACE
        time.sleep(_WAIT)


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()  # nothing is lost: what is written is complete at any moment
        process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _reported(statuses: Sequence[int | None], said: Sequence[IO[str] | None]) -> int:
    for number, status in enumerate(statuses):
        if status is not None and status < 0:
            name = signal.Signals(-status).name
            who = f"process {number} of {len(statuses)}"
            raise InputError(f"{who} was killed ({name}); rerun the same command to resume")
    failed = [number for number, status in enumerate(statuses) if status not in (None, 0, LOST_STATUS)]
    if not failed:
        if any(statuses):
            raise InputError("the processes lost contact with each other; rerun the same command to resume")
        return 0
    if (output := said[failed[0]]) is not None:
        output.seek(0)
        sys.stderr.write(output.read())
    return statuses[failed[0]] or 1


def end_with_launcher() -> None:
    """Ends this process as soon as the one that launched it, or torchrun, has ended."""
    if is_launched():
        threading.Thread(target=_end_after_input, daemon=True).start()
    elif _TORCHRUN in os.environ:
        threading.Thread(target=_end_after, args=(os.getppid(),), daemon=True).start()


def _end_after_input() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(LOST_STATUS)


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WAIT)
    os._exit(LOST_STATUS)


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
