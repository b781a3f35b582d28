"""This process's number among those that work together."""

import os

LAUNCHED = "ASR_LAUNCHED"
"""The environment variable of processes that `asr.processes.launcher.launch` started."""


def are_several() -> bool:
    """Whether torchrun, or `launch`, started this process beside others."""
    return "LOCAL_WORLD_SIZE" in os.environ


def is_launched() -> bool:
    """Whether it was `launch`."""
    return LAUNCHED in os.environ


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
