"""Tasks for other processes, and one that has gone."""

import threading
import time

import pytest
from torch.distributed import TCPStore

from asr.processes import tasks
from asr.processes.lost import LostProcessError, is_lost_process
from asr.processes.share import Share, of_machine
from asr.processes.tasks import ALONE, leading


def test_alone_nobody_is_asked() -> None:
    with leading() as others:
        assert others is ALONE
        assert others.at(stage="train")(fold="fold-1")() == []


def test_one_that_gives_no_sign_of_life_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    numbers = {"RANK": 0, "WORLD_SIZE": 4, "LOCAL_WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": store.port}
    for name, value in (numbers | {"TORCHELASTIC_USE_AGENT_STORE": "True"}).items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(tasks, "SILENCE", 0.3)
    with leading() as others:
        assert (others.count, others.machines, of_machine()) == (3, 2, Share(0, 2))
        wait = others(stage="train")
        with pytest.raises(LostProcessError, match="process 1 does not answer") as error:
            wait()
    assert is_lost_process(error.value)


def test_signs_of_life_end_quietly_with_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    monkeypatch.setattr(tasks, "_SIGN_OF_LIFE", 0.01)
    held = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    store = TCPStore("127.0.0.1", held.port, is_master=False)
    threads = threading.active_count()
    with tasks._alive(store):
        del held
        deadline = time.monotonic() + 30
        while threading.active_count() > threads:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert not raised
