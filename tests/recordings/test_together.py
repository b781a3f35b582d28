"""Batches of similar lengths."""

from hypothesis import given
from hypothesis import strategies as st

from asr.recordings.together import by_length


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 200))
def test_each_is_in_one_batch_which_is_bounded(lengths: list[int], most: int) -> None:
    batches = list(by_length(lengths, most))
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= most


def test_similar_lengths_are_together() -> None:
    assert list(by_length([9, 2, 8, 1, 2], 18)) == [[3, 1, 4], [2, 0]]
    assert list(by_length([9, 2, 8, 1, 2], 17)) == [[3, 1, 4], [2], [0]]
