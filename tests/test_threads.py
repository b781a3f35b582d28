"""How many threads compute, and how they wait."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from asr import threads
from asr.threads import (
    available_cores,
    environment_of_each,
    in_order,
    in_threads,
    share_the_processor,
    side_by_side,
    usable_cores,
)

WHEN_LOADED = """
import os, sys

_, library, variables, *arguments = sys.argv

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == library:
            print(*(os.environ.get(name) for name in variables.split()))
            sys.stdout.flush()
            os._exit(0)

sys.meta_path.insert(0, Watch())
sys.argv = ["asr", *arguments]
from asr.cli.main import main
main()
"""


def when_loaded(library: str, variables: str, own: dict[str, str], *arguments: str) -> str:
    """These environment variables of `asr` at the time when it loads a library; `own` are those that the user set."""
    environment = {name: value for name, value in os.environ.items() if name not in variables.split()}
    command = [sys.executable, "-c", WHEN_LOADED, library, variables, *arguments]
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, env=environment | path | own, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.stdout.split("\n")[0]


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ({}, "PASSIVE None"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE None"),
        ({"GOMP_SPINCOUNT": "infinite"}, "None infinite"),
    ],
)
def test_threads_sleep_while_they_wait_unless_the_user_has_set_it(own: dict[str, str], found: str) -> None:
    command = ("decode", "bundle", "prepared", "features", "out")
    assert when_loaded("torch", "OMP_WAIT_POLICY GOMP_SPINCOUNT", own, *command) == found


@pytest.mark.parametrize(
    ("own", "found"), [({}, "1 1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3 1"), ({"MKL_NUM_THREADS": "2"}, "1 2")]
)
@pytest.mark.parametrize("command", ["transcribe", "align"])
def test_jobs_share_the_cores_without_blas_threads(command: str, own: dict[str, str], found: str) -> None:
    given = (command, "bundle", "one.wav", "--out", "out")
    assert when_loaded("numpy", "OPENBLAS_NUM_THREADS MKL_NUM_THREADS", own, *given) == found


@pytest.mark.parametrize(("limit", "cores"), [("max 100000", None), ("50000 100000", 1), ("9900000 100000", None)])
def test_a_container_s_limit_bounds_the_cores(tmp_path: Path, limit: str, cores: int | None) -> None:
    (tmp_path / "cpu.max").write_text(limit + "\n")
    assert available_cores(tmp_path / "cpu.max") == (cores or usable_cores())
    assert available_cores(tmp_path / "missing") == usable_cores()


def test_results_of_threads_are_in_order_and_few_items_are_drawn_ahead() -> None:
    drawn = 0

    def items():
        nonlocal drawn
        for number in range(100):
            drawn += 1
            yield number

    found = in_threads(lambda number: (number, threading.current_thread()), items())
    assert next(found)[0] == 0
    assert drawn <= 2 * available_cores() + 1
    numbers, threads = zip(*found, strict=True)
    assert numbers == tuple(range(1, 100))
    assert threading.main_thread() not in threads


def test_processes_side_by_side_divide_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: 5)
    working: set[int] = set()
    most: list[int] = []

    def work(item: int) -> None:
        working.add(item)
        most.append(len(working))
        time.sleep(0.02)
        working.discard(item)

    for processes, expected in ((2, 2), (9, 1)):
        most.clear()
        with side_by_side(processes):
            list(in_threads(work, range(12)))
        assert max(most) <= expected
    most.clear()
    list(in_threads(work, range(20)))
    assert max(most) > 2


def test_an_error_in_a_thread_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda number: 1 // number, [1, 0, 2]))


def test_results_come_in_the_items_order_whichever_is_done_first() -> None:
    later = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert later.wait(10)
        if item == 5:
            later.set()
        return item * item

    assert [(item, result.result()) for item, result in in_order(work, range(20), 2, 100)] == [
        (item, item * item) for item in range(20)
    ]


def test_an_error_is_of_its_own_item() -> None:
    def work(item: int) -> float:
        return 1 / item

    outcomes = {item: result.exception() for item, result in in_order(work, [1, 0, 2], 2, 100)}
    assert {item: type(error) for item, error in outcomes.items()} == {
        1: type(None),
        0: ZeroDivisionError,
        2: type(None),
    }


def test_items_are_drawn_as_there_is_room() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for item in range(50):
            drawn.append(item)
            yield item

    for item, _ in in_order(lambda item: time.sleep(0.001), items(), 2, most_waiting=4):
        assert len(drawn) - item <= 4


def test_workers_have_one_torch_thread_each_and_others_keep_theirs() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        inside = {result.result() for _, result in in_order(lambda _: torch.get_num_threads(), range(4), 2, 100)}
        assert inside == {1}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_torch_keeps_its_threads_when_work_within_work_is_left() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        within = in_threads(lambda item: item, range(50))
        around = in_threads(lambda item: item, (item for item in within))
        assert next(around) == 0
        assert torch.get_num_threads() == 1
        around.close()
        del around, within  # the inner one ends last
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_the_rest_is_not_done_when_the_caller_stops() -> None:
    drawn, done = threading.Event(), []

    def items() -> Iterator[int]:
        yield from range(900)
        drawn.set()

    def work(item: int) -> None:
        assert drawn.wait(10)
        time.sleep(0.001)
        done.append(item)

    results = in_order(work, items(), 1, 1000)
    next(results)
    results.close()
    assert len(done) < 900


def test_at_least_one_core() -> None:
    assert available_cores() >= 1


def test_a_worker_of_a_parallel_test_run_computes_in_one_thread() -> None:
    assert torch.get_num_threads() == int(os.environ["OMP_NUM_THREADS"])


@pytest.mark.parametrize(("own", "each"), [(None, "3"), ("5", "5")])
def test_processes_share_the_cores_that_a_container_leaves(
    monkeypatch: pytest.MonkeyPatch, own: str | None, each: str
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 8)
    monkeypatch.setattr(threads, "available_cores", lambda: 6)
    monkeypatch.setattr(os, "environ", {} if own is None else {"OMP_NUM_THREADS": own})
    share_the_processor()
    assert os.environ["OMP_NUM_THREADS"] == (own or "6")
    assert environment_of_each(2)["OMP_NUM_THREADS"] == each
