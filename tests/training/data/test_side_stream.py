"""Work in another stream: it begins after what came before, and its memory is free only when the device is done."""

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from asr.training.data.side_stream import SideStream


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a stand-in for a CUDA stream was asked for, in order."""
    done: list[str] = []
    current = SimpleNamespace(record_event=lambda: "now")
    stream = SimpleNamespace(
        device=torch.device("cuda"), wait_event=done.append, synchronize=lambda: done.append("synchronize")
    )
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: current)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    return done


def noted(done: list[str], error: Exception | None) -> Callable[[], str]:
    def work() -> str:
        done.append("work")
        if error is not None:
            raise error
        return "result"

    return work


def test_it_waits_for_what_came_before_and_until_the_device_is_done(done: list[str]) -> None:
    assert SideStream(torch.device("cuda")).after_now(noted(done, None))() == "result"
    assert done == ["now", "work", "synchronize"]


def test_work_that_is_stopped_leaves_nothing_under_way(done: list[str]) -> None:
    call = SideStream(torch.device("cuda")).after_now(noted(done, RuntimeError("stopped")))
    with pytest.raises(RuntimeError, match="stopped"):
        call()
    assert done == ["now", "work", "synchronize"]


def test_on_a_cpu_it_is_the_work_itself(done: list[str]) -> None:
    assert SideStream(torch.device("cpu")).after_now(noted(done, None))() == "result"
    assert done == ["work"]
