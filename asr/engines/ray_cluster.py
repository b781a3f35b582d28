"""Work on a Ray cluster: an actor on each core or GPU, which opens the model itself and is given paths.

Actors rather than Ray Data: a recording that crashes its worker each time must fail alone, whereas a block of rows
that does so ends a dataset, or is left out without a record of its rows.
"""

import io
import logging
import os
import socket
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, redirect_stdout
from itertools import chain
from types import TracebackType
from typing import TypeVar

from asr.engines.engine import MOST_WAITING, Start
from asr.engines.ray_workers import RayWorkers, in_order
from asr.errors import InputError
from asr.threads import available_cores

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

ADDRESS = "RAY_ADDRESS"
"""The environment variable with the address of the cluster to join."""

OBJECT_STORE = 200_000_000
"""Bytes of shared memory of a cluster on this machine, for features and lexicons; audio is never in it."""

SECONDS_TO_CONNECT = 10.0


class RayCluster:
    """The engine of a Ray cluster: the one that this process has joined, that of RAY_ADDRESS, or else one of this
    machine, which ends with the `with` block; another block opens it again. What Ray prints inside is logged instead.

    Its nodes need this version of asr, and have the model and the audio at the same paths.
    """

    elsewhere = True

    def __init__(self, jobs: int | None = None, device: str = "auto") -> None:
        """`jobs` workers share the GPUs, or have a core each; by default one for each GPU or core of the cluster.

        `device` is auto (GPUs if there are any), cpu or cuda. Raises InputError for another, and without Ray.
        """
        if device not in ("auto", "cpu", "cuda"):
            raise InputError(f"--device {device}: Ray chooses each worker's GPU; use auto, cpu or cuda")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise InputError("--engine ray needs Ray: pip install 'asr-phones[ray]'") from error
        self._ray = ray
        self._jobs, self._device = jobs, device
        self._joined = self._began = False
        self._options: dict[str, float] = {}
        self._open = ExitStack()

    def __enter__(self) -> "RayCluster":
        self._open.enter_context(redirect_stdout(_Log()))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._open:
            if self._began:
                self._ray.shutdown()
            self._joined = self._began = False

    @property
    def device(self) -> str:
        """cuda where the workers have GPUs, otherwise cpu. Raises InputError where the cluster cannot be joined."""
        self._join()
        return self._device

    def map(
        self, start: Start[T, R], groups: Iterable[Sequence[T]], most_waiting: int = MOST_WAITING
    ) -> Generator[tuple[T, R | InputError], None, None]:
        """As `Engine.map`; what a worker has when it dies is done by another.

        Raises InputError where the cluster cannot be joined, and where no worker can start.
        """
        groups = iter(groups)
        first = next(groups, None)
        if first is None:
            return
        self._join()
        workers = RayWorkers(self._ray, self._jobs or 1, self._options, start, self._device)
        try:
            yield from in_order(workers, chain([first], groups), most_waiting)
        finally:
            workers.close()

    def _join(self) -> None:
        """Joins or begins a cluster, the first time, and finds out what it has."""
        if self._joined:
            return
        if not self._ray.is_initialized():
            self._init(os.environ.get(ADDRESS))
        resources = self._ray.cluster_resources()
        cores, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
        if self._device == "cuda" and not gpus:
            raise InputError("--device cuda: the Ray cluster has no GPU; use cpu")
        self._device = "cuda" if gpus and self._device != "cpu" else "cpu"
        self._jobs = self._jobs or (gpus if self._device == "cuda" else cores) or 1
        self._options = {"num_cpus": 1}
        if self._device == "cuda":
            self._options["num_gpus"] = 1 / -(-self._jobs // gpus)
        self._joined = True
        log.info("Ray: at most %d workers, device %s", self._jobs, self._device)

    def _init(self, address: str | None) -> None:
        own = {"num_cpus": self._jobs or available_cores(), "object_store_memory": OBJECT_STORE}
        place = f"the Ray cluster at {address} (the variable {ADDRESS})" if address else "Ray on this machine"
        log.info("%s %s", "joining" if address else "starting", place)
        if not log.isEnabledFor(logging.DEBUG):
            logging.getLogger("ray").setLevel(logging.ERROR)
        try:
            if address:
                _require_listening(address)
            self._ray.init(
                address=address or "local",
                include_dashboard=None if address else False,
                configure_logging=False,
                log_to_driver=False,
                **({} if address else own),
            )
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise InputError(f"cannot {'join' if address else 'start'} {place}: {reason}") from error
        self._began = True


def _require_listening(address: str) -> None:
    """Raises OSError where nothing answers at a host and port; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), SECONDS_TO_CONNECT).close()


class _Log(io.TextIOBase):
    """A standard output whose lines are messages for --verbose."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for line in filter(None, map(str.strip, text.splitlines())):
            log.debug("%s", line)
        return len(text)
