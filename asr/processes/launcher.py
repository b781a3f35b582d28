"""Processes that are started together on this machine, and end together."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import IO, Never

from asr.errors import InputError
from asr.processes.lost import LOST_STATUS
from asr.processes.ranks import LAUNCHED, is_launched
from asr.termination import on_sigterm

_TORCHRUN = "TORCHELASTIC_RUN_ID"
_WAIT = 0.1  # seconds between looks at processes
_GRACE = 10.0  # seconds for the others to end by themselves after one has failed


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
        LAUNCHED: "1",
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
