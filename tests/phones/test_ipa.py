import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.phones.ipa import TIE, broad, look_alikes, well_typed

NARROW = {
    "t": ["tʰ", "t̪", "tʼ", "t'", "tː", "t:", "tʷʰ", "ⁿt"],
    "a": ["ã", "ãː", "a˞", "aa", "\N{CYRILLIC SMALL LETTER A}", "a˥˩", "a⁵¹", "ạ"],
    "ç": ["ç", "ç", "çː"],
    "ɡ": ["g", "gʷ", "ɡ"],
    "æ": ["æː", "\N{CYRILLIC SMALL LIGATURE A IE}"],
    "t͡ʃ": ["ʧ", "t͜ʃ", "t͡ʃʰ", "t͡ʃː"],
    "k͡p": ["k͡p"],
    "ə": ["ə\N{THIN SPACE}̯", "\N{LATIN SMALL LETTER TURNED E}"],
}


@pytest.mark.parametrize(("letter", "symbols"), NARROW.items())
def test_the_letters_of_narrow_symbols(letter: str, symbols: list[str]) -> None:
    assert {broad(symbol) for symbol in symbols} == {letter}


@pytest.mark.parametrize("symbol", ["aʊ", "ɫ", "ɚ", "ʔ", "ǃ", "ɓ", "sil", "sp", "˥˩", "ˈ"])
def test_what_has_no_detail_stays(symbol: str) -> None:
    assert broad(symbol) == symbol


@given(st.text(st.characters(categories=["Ll", "Mn", "Lm", "Sk"]) | st.just(TIE), min_size=1, max_size=6))
def test_a_broad_symbol_is_its_own(symbol: str) -> None:
    once = broad(symbol)
    assert once
    assert broad(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert broad(well_typed(symbol)) == once


def test_symbols_that_look_alike_are_grouped() -> None:
    assert look_alikes(["a", "g", "kʼ", "ɡ", "ɣ", "k'", "aː"]) == [["g", "ɡ"], ["kʼ", "k'"]]
