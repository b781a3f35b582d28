"""Work is divided among processes: each item is in one share."""

import pytest

from asr.processes.share import Share


@pytest.mark.parametrize("sizes", [[5, 1, 1, 9, 2, 2], [1] * 7, [100, 1], [0, 0, 3], []])
@pytest.mark.parametrize("parts", [1, 2, 3, 10])
def test_shares_are_runs_that_have_all_items_once(sizes: list[int], parts: int) -> None:
    before = [sum(sizes[:number]) for number in range(len(sizes))]
    shares = [
        [number for number, done in enumerate(before) if Share(part, parts).has(done, sum(sizes))]
        for part in range(parts)
    ]
    assert [number for share in shares for number in share] == list(range(len(sizes)))
