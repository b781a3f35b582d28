"""Numbers in words."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import InputError
from asr.phones.numbers import number_speller


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("7", "seven"),
        ("1999", "nineteen ninety-nine"),
        ("1,999", "one thousand, nine hundred and ninety-nine"),
        ("5000", "five thousand"),
        ("3.5", "three point five"),
        ("0.05", "zero point zero five"),
        ("21st", "twenty-first"),
        ("1,23", None),
        ("$5", None),
        ("x7", None),
        ("½", None),
        ("9" * 400, None),
    ],
)
def test_english(number: str, words: str | None) -> None:
    assert number_speller("en")(number) == words


def test_other_languages() -> None:
    assert number_speller("de")("7") == "sieben"
    with pytest.raises(InputError, match="num2words has no language 'xx'"):
        number_speller("xx")


def test_without_num2words_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "num2words", None)
    with pytest.raises(InputError, match=r"needs num2words: pip install 'asr-phones\[numbers\]'"):
        number_speller("en")


@given(st.from_regex(r"[\d,.]{1,20}(st|th)?", fullmatch=True))
def test_whatever_looks_like_a_number_is_spelled_or_left(token: str) -> None:
    spelled = number_speller("en")(token)
    assert spelled is None or not any(character.isnumeric() for character in spelled)
