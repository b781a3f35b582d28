"""Joining the phones of pieces at their seams."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asr.decoding.seams import join, shifted
from asr.formats.transcript import PhoneSegment

MARGIN = 0.5
seeds = st.integers(0, 99)


def _phones(text: str, edges: list[float], score: float = 0.5) -> list[PhoneSegment]:
    return [PhoneSegment(phone, *span, score) for phone, span in zip(text.split(), pairwise(edges), strict=True)]


def _said(phones: list[PhoneSegment]) -> list[tuple[str, float | None, float | None]]:
    return [(phone.phone, phone.start, phone.end) for phone in phones]


def test_a_silence_at_the_seam_is_one_silence() -> None:
    phones = _phones("aa sil", [0, 9.7, 10.5], score=0.4)
    join(phones, _phones("sil iy", [9.5, 10.2, 11], score=0.8), 10.0, MARGIN)
    assert _said(phones) == [("aa", 0, 9.7), ("sil", 9.7, 10.2), ("iy", 10.2, 11)]
    assert phones[1].score == pytest.approx(0.6)


def test_the_phone_nearest_to_the_cut_that_both_have_joins_them() -> None:
    """What each has wrong near its own edge is left out, and a phone of the same name elsewhere is another."""
    phones = _phones("s aa t iy zh", [9, 9.6, 9.75, 9.9, 10.3, 10.5])
    join(phones, _phones("k aa d iy n s", [9.5, 9.62, 9.74, 9.9, 10.25, 10.4, 11]), 10.0, MARGIN)
    assert _said(phones) == [
        ("s", 9, 9.6), ("aa", 9.6, 9.75), ("t", 9.75, 9.9), ("iy", 9.9, 10.25), ("n", 10.25, 10.4), ("s", 10.4, 11)
    ]  # fmt: skip


def test_where_they_agree_on_no_phone_they_join_at_a_boundary_that_both_have() -> None:
    phones = _phones("aa b sh", [9, 9.8, 10.12, 10.5])
    join(phones, _phones("k p iy", [9.5, 9.7, 10.1, 11]), 10.0, MARGIN)
    assert _said(phones) == [("aa", 9, 9.8), ("b", 9.8, 10.11), ("iy", 10.11, 11)]


def test_of_boundaries_on_which_they_agree_the_nearest_to_the_cut_joins_them() -> None:
    phones = _phones("aa b sh", [9, 9.6, 10.0, 10.5])
    join(phones, _phones("k p iy", [9.5, 9.6, 10.0, 11]), 10.0, MARGIN)
    assert _said(phones) == [("aa", 9, 9.6), ("b", 9.6, 10.0), ("iy", 10.0, 11)]


def test_an_empty_piece_changes_nothing() -> None:
    phones = _phones("aa b", [9, 9.4, 9.6])
    join(phones, [], 10.0, MARGIN)
    assert _said(phones) == [("aa", 9, 9.4), ("b", 9.4, 9.6)]
    nothing: list[PhoneSegment] = []
    join(nothing, _phones("k", [10.1, 10.4]), 10.0, MARGIN)
    assert _said(nothing) == [("k", 10.1, 10.4)]


def test_where_neither_has_a_phone_there_is_none() -> None:
    phones = _phones("aa b", [9, 9.2, 9.4])
    join(phones, _phones("iy", [10.7, 11]), 10.0, MARGIN)
    assert _said(phones) == [("aa", 9, 9.2), ("b", 9.2, 9.4), ("iy", 10.7, 11)]


@example(lengths=[3] * 10 + [4, 5, 8, 10, 9, 19] + [40] * 13 + [3] * 8 + [8, 3], cut=111, seed=18)
@given(
    lengths=st.lists(st.integers(3, 40), min_size=40, max_size=120), cut=st.integers(100, 150), seed=st.integers(0, 99)
)
def test_the_parts_of_one_sequence_join_to_it(lengths: list[int], cut: int, seed: int) -> None:
    """No phone is lost or doubled, wherever the pieces were cut."""
    edges = (np.cumsum([0, *lengths]) / 100).round(2).tolist()
    text = " ".join(np.random.default_rng(seed).choice(["a", "b", "c"], len(lengths)))
    whole = _phones(text, edges)
    # Neighbours differ, as in a recogniser's output of an HMM; or their boundary would be invisible.
    whole = [phone for phone, other in pairwise([*whole, PhoneSegment("end")]) if phone.phone != other.phone]
    place = cut / 20
    left = [
        PhoneSegment(phone.phone, phone.start, min(phone.end or 0, place + MARGIN), phone.score)
        for phone in whole
        if (phone.start or 0) < place + MARGIN
    ]
    right = [
        PhoneSegment(phone.phone, max(phone.start or 0, place - MARGIN), phone.end, phone.score)
        for phone in whole
        if (phone.end or 0) > place - MARGIN
    ]
    join(left, right, place, MARGIN)
    assert _said(left) == _said(whole)


@given(st.data())
def test_joined_phones_are_in_order(data: st.DataObject) -> None:
    """Whatever the pieces say."""

    def piece(first: float, last: float) -> list[PhoneSegment]:
        count = data.draw(st.integers(1, 12))
        inner = sorted(data.draw(st.lists(st.floats(0, 1), min_size=count - 1, max_size=count - 1, unique=True)))
        edges = [first, *(round(first + (last - first) * share, 4) for share in inner), last]
        names = data.draw(st.lists(st.sampled_from("ab"), min_size=count, max_size=count))
        return [
            PhoneSegment(name, *span) for name, span in zip(names, pairwise(edges), strict=True) if span[0] < span[1]
        ]

    phones = piece(0, 10.5)
    join(phones, piece(9.5, 20), 10.0, MARGIN)
    for one, other in pairwise(phones):
        assert (one.start or 0.0) < (one.end or 0.0) <= (other.start or 0.0)
    assert (phones[0].start, phones[-1].end) == (0, 20)


def test_shifted_phones_are_later() -> None:
    assert _said(shifted(_phones("aa b", [0, 0.1, 0.3]), 60.0)) == [("aa", 60.0, 60.1), ("b", 60.1, 60.3)]
