"""The machine and packages of a run, recorded with its results."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

import asr.version
from asr.device import describe_device

PACKAGES = ("torch", "torchaudio", "lhotse", "numpy", "numba")


def environment(device: torch.device) -> dict[str, object]:
    """Python, packages, processor and device."""
    return {
        "python": platform.python_version(),
        "packages": {"asr": asr.version.__version__} | {name: version(name) for name in PACKAGES},
        "processor": _processor(),
        "cores": os.cpu_count(),
        "device": describe_device(device),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = (line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name"))
    return next(names, platform.processor()) if info.is_file() else platform.processor()
