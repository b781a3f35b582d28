"""How busy a GPU is: kernels and their time by PyTorch's profiler, and what the chip could do."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

# TFLOP/s without sparsity, by a part of the device's name, from the makers' data sheets: FP32 outside tensor cores.
PEAKS = {
    "H100 PCIe": {"fp32": 51.0, "tf32": 378.0, "bf16": 756.0},
    "H100": {"fp32": 67.0, "tf32": 494.5, "bf16": 989.5},
    "H200": {"fp32": 67.0, "tf32": 494.5, "bf16": 989.5},
    "A100": {"fp32": 19.5, "tf32": 156.0, "bf16": 312.0},
}


class Kernels(NamedTuple):
    """The number of kernels, and the seconds in which at least one of them or a copy ran."""

    count: int
    seconds: float


def peak(device: torch.device, precision: str) -> float | None:
    """TFLOP/s of the device; None for one that is not listed."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peaks[precision] for part, peaks in PEAKS.items() if part in name), None)


def kernels(call: Callable[[], object], device: torch.device) -> Kernels | None:
    """What ran on a CUDA device during a call; None on a CPU, where there are no kernels to measure."""
    if device.type != "cuda":
        return None
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        call()
        torch.cuda.synchronize(device)
    ran = [
        event
        for event in profiled.events() or ()
        if event.device_type == DeviceType.CUDA and not event.is_user_annotation  # a span of kernels, such as a step
    ]
    count = sum(not event.name.startswith(("Memcpy", "Memset")) for event in ran)
    spans = ((event.time_range.start, event.time_range.end) for event in ran)
    return Kernels(count, covered(spans) / 1e6)


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """The length of the union of spans."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
