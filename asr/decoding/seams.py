"""Joins the phones of a recording's pieces, which overlap at their seams."""

from collections.abc import Iterable
from dataclasses import replace

from asr.formats.transcript import PhoneSegment

ALIKE = 0.5
"""The share of two phones' common time at a seam from which they are one phone that both pieces have."""
DISTANCE_WEIGHT = 0.25
"""A boundary this much further from the cut is as good as one on which the pieces agree a second better."""

GAP = 0.05
"""Seconds without a phone, as between those of a CTC model, that stay so where both pieces have them."""


def join(phones: list[PhoneSegment], further: list[PhoneSegment], cut: float, margin: float) -> None:
    """Appends the phones of the next piece to those of the pieces before it; `phones` is changed.

    Both have times (s), in order, and both cover `margin` seconds on each side of the `cut`. There they are joined in
    the phone nearest to the cut that both have; it begins as in the first piece and ends as in the second. Where they
    agree on none, they are joined at a boundary that is much the same in both.
    """
    low, high = cut - margin, cut + margin
    before = len(phones)
    while before and _end(phones[before - 1]) > low:
        before -= 1
    after = next((number for number, phone in enumerate(further) if _start(phone) >= high), len(further))
    if agreed := [
        (_distance(phones[left], further[right], cut), left, right)
        for left in range(before, len(phones))
        for right in range(after)
        if _common(phones[left], further[right], low, high) >= ALIKE
    ]:
        _, left, right = min(agreed)
        phones[left:] = [_merged(phones[left], further[right]), *further[right + 1 :]]
        return
    _, left, right, seam = min(_seams(phones, further, before, after, cut))
    rest = further[right:]
    following = _start(phones[left]) if left < len(phones) else high
    previous = _end(further[right - 1]) if right else low
    del phones[left:]
    if phones and rest:
        nothing = following - _end(phones[-1]) > GAP and _start(rest[0]) - previous > GAP
        if not nothing or _start(rest[0]) < _end(phones[-1]):
            phones[-1], rest[0] = replace(phones[-1], end=seam), replace(rest[0], start=seam)
    phones += rest


def shifted(phones: Iterable[PhoneSegment], seconds: float) -> list[PhoneSegment]:
    """The phones, so much later, with times to 0.1 ms."""
    return [
        replace(phone, start=round(_start(phone) + seconds, 4), end=round(_end(phone) + seconds, 4)) for phone in phones
    ]


def _common(one: PhoneSegment, other: PhoneSegment, low: float, high: float) -> float:
    """The common time of two phones between `low` and `high`, as a share of that of both; 0 for different phones."""
    if one.phone != other.phone:
        return 0.0
    (start, end), (first, last) = ((max(_start(each), low), min(_end(each), high)) for each in (one, other))
    return (min(end, last) - max(start, first)) / max(max(end, last) - min(start, first), 1e-9)


def _distance(one: PhoneSegment, other: PhoneSegment, cut: float) -> float:
    """How far the common time of two phones is from the cut."""
    return max(max(_start(one), _start(other)) - cut, cut - min(_end(one), _end(other)), 0.0)


def _merged(one: PhoneSegment, other: PhoneSegment) -> PhoneSegment:
    scores = [phone.score for phone in (one, other) if phone.score is not None]
    return replace(one, end=other.end, score=round(sum(scores) / len(scores), 4) if scores else None)


def _seams(
    phones: list[PhoneSegment], further: list[PhoneSegment], before: int, after: int, cut: float
) -> Iterable[tuple[float, int, int, float]]:
    """Ways to join the first `left` phones and those of the next piece from `right` on: (cost, left, right, time)."""
    for left in range(before, len(phones) + 1):
        for right in range(after + 1):
            one, other = _boundary(phones, left, cut), _boundary(further, right, cut)
            seam = round((one + other) / 2, 4)
            if (left == 0 or _start(phones[left - 1]) < seam) and (
                right == len(further) or seam < _end(further[right])
            ):
                yield abs(one - other) + DISTANCE_WEIGHT * abs(seam - cut), left, right, seam


def _boundary(phones: list[PhoneSegment], number: int, cut: float) -> float:
    """When a phone begins, or for the number after the last one when that ends."""
    if number < len(phones):
        return _start(phones[number])
    return _end(phones[-1]) if phones else cut


def _start(phone: PhoneSegment) -> float:
    return phone.start or 0.0


def _end(phone: PhoneSegment) -> float:
    return phone.end or 0.0
