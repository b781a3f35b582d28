"""`--devices`: the same command in a process for each of several devices."""

import sys

from asr.errors import InputError
from asr.processes.launcher import launch
from asr.processes.ranks import are_several


def on_each_device(device: str, count: int) -> None:
    """Returns in a process that is to work; otherwise starts one for each device and exits once they have ended.

    Raises InputError for devices that this machine does not have, and where a process was killed.
    """
    if count == 1 or are_several():
        return
    from asr.device import choose_device
    from asr.threads import environment_of_each

    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"--devices {count}: use it with --device auto, cpu or cuda, not {device}")
    if choose_device(device).type == "cuda":
        choose_device(f"cuda:{count - 1}")
    sys.exit(launch(count, sys.argv[1:], environment_of_each(count)))
