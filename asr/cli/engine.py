"""The option --engine: where the work is done."""

from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from asr.engines.engine import Engine


class EngineName(StrEnum):
    """Where the work is done."""

    threads = "threads"
    ray = "ray"


EngineChoice = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="threads (of this process), or ray: the cluster at RAY_ADDRESS (an environment variable), or one that "
        "is started on this machine.",
    ),
]


def cluster(engine: EngineName, jobs: int | None, device: str) -> "AbstractContextManager[Engine | None]":
    """The Ray cluster where one is asked for, to be used in a `with` block. Raises InputError where there is no Ray."""
    if engine == EngineName.threads:
        return nullcontext()
    from asr.engines.ray_cluster import RayCluster

    return RayCluster(jobs, device)


def device_here(engine: EngineName, device: str) -> str:
    """The device of this process: the CPU where workers elsewhere use `device`."""
    return device if engine == EngineName.threads else "cpu"
