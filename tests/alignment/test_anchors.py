"""Places at which recognised phones and a transcript meet."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.alignment.anchors import ORDER, expected_phones, find_anchors

Indices = npt.NDArray[np.int64]
FRAMES = 8
"""In each phone."""


def _misheard(said: Indices, rate: float, seed: int) -> tuple[Indices, Indices]:
    """What a recogniser with this error rate makes of phones, and the frames in which it does."""
    rng = np.random.default_rng(seed)
    heard, frames = [], []
    for place, phone in enumerate(said.tolist()):
        kind = rng.choice(["right", "other", "deleted", "doubled"], p=[1 - rate, rate / 2, rate / 4, rate / 4])
        for again in range({"deleted": 0, "doubled": 2}.get(kind, 1)):
            heard.append(phone if kind == "right" else rng.integers(39))
            frames.append(FRAMES * place + 4 * again)
    return np.array(heard), np.array(frames)


def _phones(count: int, seed: int) -> Indices:
    return np.random.default_rng(seed).integers(0, 39, count)


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.5])
def test_anchors_are_where_the_phones_were_said(rate: float) -> None:
    said = _phones(6000, 1)
    anchors = find_anchors(*_misheard(said, rate, 2), said, np.arange(6000))
    items = np.array([anchor.item for anchor in anchors])
    off = np.array([anchor.frame for anchor in anchors]) / FRAMES - items
    assert (np.diff(items) > 0).all()
    assert np.abs(off).max() <= 2
    assert np.diff([0, *items.tolist(), 6000]).max() < (20 if rate == 0 else 600)


def test_what_was_not_said_has_no_anchors() -> None:
    """A part of the transcript that is missing from the audio, and of the audio that is not in the transcript."""
    said = _phones(3000, 3)
    heard, frames = _misheard(np.concatenate([said[:1000], _phones(500, 4), said[1500:]]), 0.3, 5)
    anchors = find_anchors(heard, frames, said, np.arange(3000))
    assert all(abs(anchor.frame / FRAMES - anchor.item) <= 2 for anchor in anchors)
    assert not [anchor for anchor in anchors if 1000 + ORDER < anchor.item < 1500 - ORDER]
    without = find_anchors(heard, frames, np.concatenate([said[:1000], said[1500:]]), np.arange(2500))
    places = [(anchor.frame / FRAMES, anchor.item + 500 * (anchor.item >= 1000)) for anchor in without]
    assert all(abs(heard_at - said_at) <= 2 for heard_at, said_at in places)


def test_a_transcript_that_repeats_itself_is_followed_in_order() -> None:
    said = np.tile(_phones(400, 6), 12)
    anchors = find_anchors(*_misheard(said, 0.3, 7), said, np.arange(len(said)))
    assert len(anchors) > 300
    assert all(abs(anchor.frame / FRAMES - anchor.item) <= 2 for anchor in anchors)


def test_a_row_that_is_alike_by_chance_far_from_its_place_is_no_anchor() -> None:
    said = _phones(400, 1)
    heard = np.concatenate([said[:100], _phones(200, 2), said[300:]])
    heard[105:110] = said[290:295]
    anchors = find_anchors(heard, np.arange(400), said, np.arange(400))
    assert len(anchors) > 180
    assert all(anchor.frame == anchor.item for anchor in anchors)


@pytest.mark.parametrize(
    ("heard", "said"),
    [([], []), ([1, 2], [1, 2]), ([1] * 9, []), ([1] * 200, [1] * 200), ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1])],
)
def test_nothing_in_common_is_no_anchor(heard: list[int], said: list[int]) -> None:
    given = (np.array(heard, np.int64), np.arange(len(heard)), np.array(said, np.int64), np.arange(len(said)))
    assert find_anchors(*given) == []


@given(seed=st.integers(0, 1000), count=st.integers(0, 300), kinds=st.integers(1, 4))
def test_anchors_rise_on_both_sides(seed: int, count: int, kinds: int) -> None:
    """Also where few kinds of phones make many rows alike."""
    rng = np.random.default_rng(seed)
    heard, said = rng.integers(0, kinds, count), rng.integers(0, kinds, 200)
    anchors = find_anchors(heard, np.arange(count), said, np.arange(200))
    places = np.array([(anchor.frame, anchor.item) for anchor in anchors]).reshape(-1, 2)
    assert (np.diff(places, axis=0) > 0).all()


def test_expected_phones_are_the_first_of_each_choice() -> None:
    items = [[[0], []], [[1, [[2], [3]], 4], [5]], 6, []]
    phones, numbers = expected_phones(items)
    assert phones.tolist() == [0, 1, 2, 4, 6]
    assert numbers.tolist() == [0, 1, 1, 1, 2]
    assert [len(each) for each in expected_phones([])] == [0, 0]
