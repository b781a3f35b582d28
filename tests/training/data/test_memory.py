"""Free memory: the machine's, or what the tightest control group leaves."""

import ctypes
import os
from pathlib import Path

import pytest
import torch

from asr.training.data import memory
from asr.training.data.memory import fits_in_memory, free_memory, give_back

GIB = 2**30


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    write(tmp_path, {"proc/meminfo": f"MemFree: 1 kB\nMemAvailable:   {8 * GIB // 1024} kB\n"})
    return tmp_path


def test_of_a_machine_without_limits(machine: Path) -> None:
    assert free_memory(machine) == 8 * GIB
    write(machine, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.stat": "inactive_file 5\n"})
    assert free_memory(machine) == 8 * GIB


def test_of_a_group_whose_parent_is_limited(machine: Path) -> None:
    stat = f"anon 7\ninactive_file {GIB}\nactive_file {GIB // 2}\n"
    outer = {"memory.max": f"{4 * GIB}\n", "memory.current": f"{3 * GIB}\n", "memory.stat": stat}
    inner = {"memory.max": "max\n", "memory.current": f"{GIB}\n", "memory.stat": stat}
    write(machine, {"proc/self/cgroup": "0::/jobs/one\n"})
    write(machine / "sys/fs/cgroup/jobs", outer)
    write(machine / "sys/fs/cgroup/jobs/one", inner)
    assert free_memory(machine) == 2.5 * GIB


def test_of_a_container_by_version_1(machine: Path) -> None:
    write(machine, {"proc/self/cgroup": "5:cpu:/a\n4:memory:/docker/a\n0::/\n"})
    limited = {"memory.limit_in_bytes": f"{GIB}", "memory.usage_in_bytes": f"{GIB}"}
    write(machine / "sys/fs/cgroup/memory", limited | {"memory.stat": f"cache 3\ntotal_inactive_file {GIB // 4}\n"})
    assert free_memory(machine) == GIB // 4


def test_of_this_machine() -> None:
    assert free_memory() > 0


def test_what_pytorch_keeps_of_a_gpu_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    of_gpu = {"mem_get_info": (1000, 9000), "memory_reserved": 700, "memory_allocated": 300}
    for name, figure in of_gpu.items():
        monkeypatch.setattr(torch.cuda, name, lambda device, figure=figure: figure)
    assert fits_in_memory(700, torch.device("cuda"))
    assert not fits_in_memory(701, torch.device("cuda"))


def test_half_of_it_may_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 1000)
    assert fits_in_memory(500, torch.device("cpu"))
    assert not fits_in_memory(501, torch.device("cpu"))


def test_a_limit_counts_instead() -> None:
    assert fits_in_memory(2_000_000, torch.device("cpu"), 0.002)
    assert not fits_in_memory(2_000_001, torch.device("cpu"), 0.002)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_freed_memory_goes_back_to_the_system() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    pieces = [bytearray(os.urandom(1)) * 50_000 for _ in range(2000)]  # too small for mappings of their own
    del pieces[:-1]  # the last one keeps the others from going back by themselves
    before = resident()
    give_back()
    assert before - resident() > 50_000_000
