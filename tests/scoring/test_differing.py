"""Who is right where two systems differ."""

from asr.scoring.differing import Place, differing
from asr.scoring.edit_alignment import EditPair, edit_alignment


def compared(reference: str, first: str, second: str) -> tuple[list[int], list[int]]:
    alignments = [edit_alignment(reference.split(), each.split()) for each in (first, second)]
    ours, others = differing(*alignments)
    return [int(place) for place in ours], [int(place) for place in others]


def test_the_same_errors_do_not_differ() -> None:
    assert compared("k ae t", "k eh t", "k eh t") == ([0, 0, 0], [0, 0, 0])


def test_one_is_right_or_neither() -> None:
    assert compared("k ae t", "k eh t", "k ae d") == ([0, 1, 2], [0, 2, 1])
    assert compared("k ae t", "k eh t", "k ih t") == ([0, 3, 0], [0, 3, 0])
    assert compared("k ae t", "k t", "k eh t") == ([0, 3, 0], [0, 3, 0])


def test_who_inserts_nothing_is_right_there() -> None:
    assert compared("k t", "k ae t", "k t") == ([0, 1, 0], [0, 0])
    assert compared("k t", "k ae t", "k eh t") == ([0, 3, 0], [0, 3, 0])
    assert compared("k t", "k ae t", "k ae t") == ([0, 0, 0], [0, 0, 0])
    assert compared("k t", "k ae ae t", "k ae t") == ([0, 3, 3, 0], [0, 3, 0])


def test_with_other_references_every_error_counts() -> None:
    first: list[EditPair] = [("k", "k"), ("ae", "eh")]
    second: list[EditPair] = [("k", "k"), ("aa", "aa")]
    assert differing(first, second) == ([Place.SAME, Place.NEITHER_RIGHT], [Place.SAME, Place.SAME])
