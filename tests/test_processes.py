"""The processes that work together: shares of work, and one that has gone."""

import os
import subprocess
import sys
import threading
import time

import pytest
from torch.distributed import TCPStore

from asr import processes
from asr.processes import ALONE, LostProcessError, Share, is_lost_process, leading, of_machine


@pytest.mark.parametrize("sizes", [[5, 1, 1, 9, 2, 2], [1] * 7, [100, 1], [0, 0, 3], []])
@pytest.mark.parametrize("parts", [1, 2, 3, 10])
def test_shares_are_runs_that_have_all_items_once(sizes: list[int], parts: int) -> None:
    before = [sum(sizes[:number]) for number in range(len(sizes))]
    shares = [
        [number for number, done in enumerate(before) if Share(part, parts).has(done, sum(sizes))]
        for part in range(parts)
    ]
    assert [number for share in shares for number in share] == list(range(len(sizes)))


def test_alone_nobody_is_asked() -> None:
    with leading() as others:
        assert others is ALONE
        assert others.at(stage="train")(fold="fold-1")() == []


def test_one_that_gives_no_sign_of_life_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    numbers = {"RANK": 0, "WORLD_SIZE": 4, "LOCAL_WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": store.port}
    for name, value in (numbers | {"TORCHELASTIC_USE_AGENT_STORE": "True"}).items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(processes, "SILENCE", 0.3)
    with leading() as others:
        assert (others.count, others.machines, of_machine()) == (3, 2, Share(0, 2))
        wait = others(stage="train")
        with pytest.raises(LostProcessError, match="process 1 does not answer") as error:
            wait()
    assert is_lost_process(error.value)


def test_a_process_ends_with_torchrun_though_that_was_killed() -> None:
    wait = "import time; from asr.processes import end_with_launcher; end_with_launcher(); print(1, flush=True); "
    torchrun = ["sh", "-c", '"$0" -c "$1" & wait', sys.executable, f"{wait} time.sleep(60)"]
    variables = {**os.environ, "TORCHELASTIC_RUN_ID": "one"}
    with subprocess.Popen(torchrun, stdout=subprocess.PIPE, env=variables) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"1\n"
        started.kill()
        assert started.communicate(timeout=30) == (b"", None), "the end of the output is that of the process"


def test_signs_of_life_end_quietly_with_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    monkeypatch.setattr(processes, "_SIGN_OF_LIFE", 0.01)
    held = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    store = TCPStore("127.0.0.1", held.port, is_master=False)
    threads = threading.active_count()
    with processes._alive(store):
        del held
        deadline = time.monotonic() + 30
        while threading.active_count() > threads:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert not raised
