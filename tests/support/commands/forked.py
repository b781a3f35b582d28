"""`asr` in processes of their own, each forked from one that has imported everything, so that it starts at once."""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

PRELOADED = ["torch", "lhotse", "numba", "praatio", "asr.cli.main", "asr.runs.run", "asr.recordings.align"]


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status (negative: the signal that killed it), and what it wrote."""

    status: int
    out: str
    err: str


class Forked:
    """A command that runs. What it writes is in files named after `log`."""

    def __init__(
        self,
        log: Path,
        arguments: Sequence[object],
        variables: Mapping[str, object] | None = None,
        stdin: Connection | None = None,
    ) -> None:
        self.log = log
        given, set_ = list(map(str, arguments)), {name: str(value) for name, value in (variables or {}).items()}
        self.process = context().Process(target=_call, args=(given, str(log), set_, stdin), daemon=True)
        self.process.start()

    def end(self, seconds: float = 120) -> Ended:
        """Waits until it ends, at most so long."""
        self.process.join(seconds)
        assert self.process.exitcode is not None
        return Ended(self.process.exitcode, *(Path(f"{self.log}.{name}").read_text() for name in ("out", "err")))


def context() -> ForkServerContext:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(PRELOADED)
    return found


def call(arguments: list[str], log: str) -> None:
    """`asr` in this process."""
    import torch

    torch.set_num_threads(1)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{log}.{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
    from asr.cli.main import main

    sys.argv = ["asr", *arguments]
    try:
        main()
    finally:
        sys.stdout.flush()


def _call(arguments: list[str], log: str, variables: dict[str, str], stdin: Connection | None) -> None:
    os.environ.update(variables)
    if stdin is not None:
        os.dup2(stdin.fileno(), 0)
        sys.stdin = open(0)  # noqa: SIM115
    call(arguments, log)
