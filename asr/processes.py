"""The processes that train together, one a device, started by `--devices` or, on one or more machines, by torchrun."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING

from asr.errors import InputError

if TYPE_CHECKING:
    from torch.distributed import Store

LOST_STATUS = 75
"""The exit status of a process that lost contact with another; the other one's end is the reason to report."""

_LAUNCHED = "ASR_LAUNCHED"
_WAIT = 0.1  # seconds between looks at processes or messages
_GRACE = 10.0  # seconds for the others to end by themselves after one has failed


def are_several() -> bool:
    """Whether torchrun, or `launch`, started this process beside others."""
    return "LOCAL_WORLD_SIZE" in os.environ


def is_launched() -> bool:
    """Whether it was `launch`."""
    return _LAUNCHED in os.environ


def rank() -> int:
    """This process's number among all; number 0 does everything but the training alone."""
    return int(os.environ["RANK"]) if are_several() else 0


def world_size() -> int:
    return int(os.environ["WORLD_SIZE"]) if are_several() else 1


def is_lost_process(error: BaseException) -> bool:
    """Whether another process of the training has ended; PyTorch reports it as a RuntimeError."""
    words = ("connection closed by peer", "connection reset by peer", "broken pipe", "connection refused")
    named = type(error).__name__ in ("DistBackendError", "DistNetworkError", "DistStoreError")
    return are_several() and (named or any(word in str(error).lower() for word in words))


def launch(count: int, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs `asr` with the arguments in `count` processes of this machine and returns 0 once all have ended.

    They find each other as torchrun's do: by its environment variables, at a store that this process holds. When one
    fails, the others are ended, its message is shown, and its status is returned. Raises InputError where one was
    killed.
    """
    from torch.distributed import TCPStore

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    shared = {
        **environment,
        _LAUNCHED: "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(store.port),
        "TORCHELASTIC_RUN_ID": "asr",
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
        for number, stderr in enumerate(said):
            own = {**shared, "RANK": str(number), "LOCAL_RANK": str(number)}
            processes.append(
                # Their input ends when this process does; in sessions of their own, Ctrl-C reaches this process alone.
                subprocess.Popen(command, env=own, stdin=subprocess.PIPE, stderr=stderr, start_new_session=True)
            )
        statuses = _wait(processes)
        return _reported(statuses, said)


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> list[int | None]:
    """The exit status of each process once all have ended; None for those that had not, a while after one failed."""
    deadline = None
    while True:
        statuses = [process.poll() for process in processes]
        if None not in statuses or (deadline is not None and time.monotonic() > deadline):
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
    """Ends this process as soon as the one that launched it has ended."""
    if is_launched():
        threading.Thread(target=_end_after_input, daemon=True).start()


def _end_after_input() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(LOST_STATUS)


@contextmanager
def leading() -> Iterator[Callable[[str], None]]:
    """In process 0: yields a function that lets the others begin a task; at the end of the `with` they leave."""
    if not are_several():
        yield lambda task: None
        return
    store, given = _store(), 0

    def give(task: str | None) -> None:
        nonlocal given
        store.set(str(given), json.dumps(task))
        given += 1

    try:
        yield give
    finally:
        give(None)


def tasks() -> Iterator[str]:
    """In the other processes: the tasks that process 0 gives, until it has no more."""
    store, taken = _store(), 0
    while True:
        while not store.check([str(taken)]):
            time.sleep(_WAIT)
        task = json.loads(store.get(str(taken)))
        if task is None:
            return
        yield task
        taken += 1


def _store() -> "Store":
    from torch.distributed import PrefixStore, rendezvous

    store, _, _ = next(rendezvous("env://"))
    return PrefixStore(f"asr/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
