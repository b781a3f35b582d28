"""Work in threads: results in order, bounded in number, with their own errors."""

import threading
import time
from collections.abc import Iterator

import torch

from asr.engines.threads import available_cores, in_order


def test_results_come_in_the_items_order_whichever_is_done_first() -> None:
    later = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert later.wait(10)
        if item == 5:
            later.set()
        return item * item

    assert [(item, result.result()) for item, result in in_order(work, range(20), 2)] == [
        (item, item * item) for item in range(20)
    ]


def test_an_error_is_of_its_own_item() -> None:
    def work(item: int) -> float:
        return 1 / item

    outcomes = {item: result.exception() for item, result in in_order(work, [1, 0, 2], 2)}
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
        inside = {result.result() for _, result in in_order(lambda _: torch.get_num_threads(), range(4), 2)}
        assert inside == {1}
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

    results = in_order(work, items(), 1)
    next(results)
    results.close()
    assert len(done) < 900


def test_at_least_one_core() -> None:
    assert available_cores() >= 1
