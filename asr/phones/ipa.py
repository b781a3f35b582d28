"""IPA symbols as people type them: characters that look alike, and the letter that is left without diacritics."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby

TIE = "\u0361"
"""Above two letters that are one phone."""

_CEDILLA = "\u0327"
_KEPT = (TIE, _CEDILLA)
"""Marks that make another phone of a letter: ç is not a kind of c."""

_DETAIL = ("Mn", "Lm", "Sk", "No")
"""Unicode's categories of what is added to a letter: marks, small raised letters and length, tone letters, raised
digits."""

_LOOK_ALIKES = str.maketrans(
    {
        "g": "\N{LATIN SMALL LETTER SCRIPT G}",
        "'": "\N{MODIFIER LETTER APOSTROPHE}",
        "\N{RIGHT SINGLE QUOTATION MARK}": "\N{MODIFIER LETTER APOSTROPHE}",
        ":": "\N{MODIFIER LETTER TRIANGULAR COLON}",
        "\N{LATIN SMALL LETTER TURNED E}": "\N{LATIN SMALL LETTER SCHWA}",
        "\N{CYRILLIC SMALL LETTER SCHWA}": "\N{LATIN SMALL LETTER SCHWA}",
        "\N{CYRILLIC SMALL LIGATURE A IE}": "\N{LATIN SMALL LETTER AE}",
        "\N{CYRILLIC SMALL LETTER A}": "a",
        "\N{CYRILLIC SMALL LETTER IE}": "e",
        "\N{CYRILLIC SMALL LETTER O}": "o",
        "\N{CYRILLIC SMALL LETTER ES}": "c",
        "\N{CYRILLIC SMALL LETTER HA}": "x",
        "\N{GREEK SMALL LETTER EPSILON}": "\N{LATIN SMALL LETTER OPEN E}",
        "\N{GREEK SMALL LETTER GAMMA}": "\N{LATIN SMALL LETTER GAMMA}",
        "\N{GREEK SMALL LETTER PHI}": "\N{LATIN SMALL LETTER PHI}",
        "\N{LATIN SMALL LETTER SHARP S}": "\N{GREEK SMALL LETTER BETA}",
        "\N{INTEGRAL}": "\N{LATIN SMALL LETTER ESH}",
        "\N{COMBINING DOUBLE BREVE BELOW}": TIE,
        "\N{LATIN SMALL LETTER TESH DIGRAPH}": f"t{TIE}\N{LATIN SMALL LETTER ESH}",
        "\N{LATIN SMALL LETTER DEZH DIGRAPH}": f"d{TIE}\N{LATIN SMALL LETTER EZH}",
        "\N{LATIN SMALL LETTER TS DIGRAPH}": f"t{TIE}s",
        "\N{LATIN SMALL LETTER DZ DIGRAPH}": f"d{TIE}z",
        "\N{LATIN SMALL LETTER TC DIGRAPH WITH CURL}": f"t{TIE}\N{LATIN SMALL LETTER C WITH CURL}",
        "\N{LATIN SMALL LETTER DZ DIGRAPH WITH CURL}": f"d{TIE}\N{LATIN SMALL LETTER Z WITH CURL}",
    }
)
"""The character of the IPA for each of other alphabets, keyboards and older charts that looks like it."""


def well_typed(symbol: str) -> str:
    """The symbol with the characters of the IPA's own chart for those that look like them, composed.

    >>> well_typed("g:") == "ɡː"
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", symbol).translate(_LOOK_ALIKES))


def broad(symbol: str) -> str:
    """The letter of a narrow symbol, or its letters with their tie, without length, tone and other diacritics.

    A letter that is doubled for length is one. What has no letter stays as it is.

    >>> [broad(symbol) for symbol in ("tʰ", "ãː", "aa", "t͡sʼ", "ç")]
    ['t', 'a', 'a', 't͡s', 'ç']
    """
    typed = unicodedata.normalize("NFD", well_typed(symbol))
    kept = [each for each in typed if each in _KEPT or unicodedata.category(each) not in _DETAIL]
    letters = "".join(letter for letter, _ in groupby(kept)).strip(TIE).strip()
    return unicodedata.normalize("NFC", letters) or well_typed(symbol)


def look_alikes(symbols: Iterable[str]) -> list[list[str]]:
    """The groups of symbols that are one if each is `well_typed`.

    >>> look_alikes(["a", "g", "ɡ"])
    [['g', 'ɡ']]
    """
    groups = defaultdict(list)
    for symbol in symbols:
        groups[well_typed(symbol)].append(symbol)
    return [group for group in groups.values() if len(group) > 1]
