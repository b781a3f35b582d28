"""How much memory is free for a split's features and how much training took on a GPU, and giving back what is freed."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import torch

SHARE_OF_FREE_MEMORY = 0.5
# For cgroup v2 and v1: the files of the limit and of the usage, and the keys in memory.stat of cached files.
CGROUP_FILES = (
    ("memory.max", "memory.current", ("inactive_file", "active_file")),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
)


def fits_in_memory(size: int, device: torch.device, limit: float | None = None) -> bool:
    """Whether `size` bytes take at most `limit` GB or, without it, half of the memory that is free on the device."""
    if limit is not None:
        return size <= limit * 1e9
    free = free_on_gpu(device) if device.type == "cuda" else free_memory()
    return size <= SHARE_OF_FREE_MEMORY * free


def free_on_gpu(device: torch.device) -> int:
    """Bytes that this process can take on a GPU, with those that PyTorch keeps of what an earlier training freed."""
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept


def give_back() -> None:
    """Returns to the system what has been freed but is kept, in pieces, for later allocations (glibc).

    Minibatches differ in shape, so that tensors seldom fit where earlier ones were, and these pieces grow to gigabytes.
    """
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def forget_peak_memory(device: torch.device) -> None:
    """What `peak_memory` says is counted from now on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> float | None:
    """The most memory (MiB) that tensors have had on a GPU, without waiting for it; None for a CPU."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that this process can take without swapping, on this machine and in every control group it is in.

    Cached files count as free, as the system gives that memory up. `root` is where proc and sys are.
    """
    return min([_available(root), *_left_in_groups(root)])


def _available(root: Path) -> int:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):  # not Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _left_in_groups(root: Path) -> Iterator[int]:
    for folder in _groups(root):
        for limit_file, used_file, cached in CGROUP_FILES:
            try:
                limit, used = ((folder / name).read_text().strip() for name in (limit_file, used_file))
                stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            except (OSError, ValueError):  # the other version, or the topmost group, which has no limit
                continue
            if limit != "max":
                yield max(int(limit) - int(used) + sum(int(stat.get(key, 0)) for key in cached), 0)


def _groups(root: Path) -> Iterator[Path]:
    """The folders of this process's control groups and of the groups around them, as far as they are visible."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mounts = ["", "unified"]
        elif "memory" in controllers.split(","):
            mounts = ["memory"]
        else:
            continue
        group = Path(path.lstrip("/"))
        for mount in mounts:
            yield from (root / "sys/fs/cgroup" / mount / each for each in (group, *group.parents))
