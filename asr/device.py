"""The device to compute on."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from asr.errors import InputError
from asr.processes.ranks import are_several, place_on_machine


def choose_device(name: str = "auto") -> torch.device:
    """Turns auto, cpu, cuda or cuda:N into a device; auto takes a GPU if there is one, and of several processes each
    has its own.

    Raises InputError for a device that this machine does not have.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and are_several():
        name = f"cuda:{place_on_machine()}"
    if (match := re.fullmatch(r"cpu|cuda(?::(\d+))?", name, re.ASCII)) is None:
        raise InputError(f"--device {name}: use auto, cpu, cuda or cuda:N")
    # Checked here because torch.device takes cuda:256 for cuda:0.
    if name != "cpu" and int(match[1] or 0) >= torch.cuda.device_count():
        raise InputError(
            f"--device {name}: this machine has {torch.cuda.device_count()} CUDA devices; use cpu", page="gpu.md"
        )
    return torch.device(name)


def use_tf32(allowed: bool) -> None:
    """Whether CUDA rounds the factors of single-precision products to TF32: in matrix products, convolutions and
    recurrent layers alike. By PyTorch's default the last two do.

    PyTorch's older settings, as Lightning reads those, and reading them fails once the newer `fp32_precision` is set.
    """
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


@contextmanager
def single_precision() -> Iterator[None]:
    """Within it, products of single precision are not rounded to TF32 on CUDA. The settings are those of the process:
    of several threads that are within it, the last to leave puts them back."""
    _exact.enter()
    try:
        yield
    finally:
        _exact.leave()


class _Exact:
    """How many are within `single_precision`, and the settings before the first."""

    def __init__(self) -> None:
        self.lock, self.inside, self.before = threading.Lock(), 0, (False, False)

    def enter(self) -> None:
        with self.lock:
            if not self.inside:
                self.before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
                use_tf32(False)
            self.inside += 1

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = self.before


_exact = _Exact()


def describe_device(device: torch.device) -> str:
    """The device in words, as written to results.json."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'' if threads == 1 else 's'}"
