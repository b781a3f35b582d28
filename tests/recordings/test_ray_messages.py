"""What the Ray engine says where it cannot start; these tests start no worker."""

import sys
from pathlib import Path

import pytest
from support.commands.asr_command import Command

from asr.engines.ray_cluster import RayCluster
from asr.errors import InputError

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'asr-phones[ray]'")


def test_a_number_of_a_gpu_is_refused() -> None:
    with pytest.raises(InputError, match="Ray chooses each worker's GPU"):
        RayCluster(device="cuda:1")


def test_an_address_where_nothing_answers_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with RayCluster() as engine, pytest.raises(InputError, match=r"cannot join the Ray cluster at 127\.0\.0\.1:1"):
        list(engine.map(lambda device: list, [[1]]))


def test_the_extra_is_named_where_it_is_missing(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = asr_command("transcribe", tiny_run, good, "-o", tmp_path / "out", "--engine", "ray")
    assert (done.status, done.err) == (1, "asr: --engine ray needs Ray: pip install 'asr-phones[ray]'\n")
    assert not (tmp_path / "out").exists()
