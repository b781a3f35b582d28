"""The device to compute on."""

import re

import torch

from asr.errors import InputError


def choose_device(name: str = "auto") -> torch.device:
    """Turns auto, cpu, cuda or cuda:N into a device; auto takes a GPU if there is one.

    Raises InputError for a device that this machine does not have.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if (match := re.fullmatch(r"cpu|cuda(?::(\d+))?", name, re.ASCII)) is None:
        raise InputError(f"--device {name}: use auto, cpu, cuda or cuda:N")
    # Checked here because torch.device takes cuda:256 for cuda:0.
    if name != "cpu" and int(match[1] or 0) >= torch.cuda.device_count():
        raise InputError(f"--device {name}: this machine has {torch.cuda.device_count()} CUDA devices; use cpu")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """The device in words, as written to results.json."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'' if threads == 1 else 's'}"
