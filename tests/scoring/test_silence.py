from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.phones.folding import fold
from asr.phones.phone_set import AnyPhoneSet, load_phone_set, silences
from asr.scoring.silence import (
    RULES,
    TREATMENTS,
    USED_BY,
    deletable,
    transcribed,
    treat,
)

SILENCE = silences("timit39")
STRINGS = st.lists(st.sampled_from(["sil", "aa", "b"]))


def test_each_treatment_of_one_string() -> None:
    symbols = ["sil", "sil", "b", "aa", "aa", "sil", "sil", "sil"]
    assert treat(symbols, "counted", SILENCE) == ["sil", "b", "aa", "aa", "sil"]
    assert treat(symbols, "optional", SILENCE) == symbols
    assert treat(symbols, "removed", SILENCE) == ["b", "aa", "aa"]


@given(STRINGS)
def test_counted_keeps_one_silence_of_a_run_and_every_phone(symbols: list[str]) -> None:
    merged = treat(symbols, "counted", SILENCE)
    assert ("sil", "sil") not in list(pairwise(merged))
    assert treat(merged, "removed", SILENCE) == treat(symbols, "removed", SILENCE)
    assert treat(merged, "counted", SILENCE) == merged


def test_only_the_optional_treatment_forgives() -> None:
    assert deletable("optional", SILENCE) == {"sil"}
    assert not deletable("counted", SILENCE)
    assert not deletable("removed", SILENCE)


@pytest.mark.parametrize("phone_set", ["timit61", "timit48", "cmu39", "timit39"])
def test_silences_are_what_folds_to_silence_in_48_phones(phone_set: AnyPhoneSet) -> None:
    assert silences(phone_set) <= set(load_phone_set(phone_set))
    if phone_set in ("timit61", "timit48"):
        folded = {symbol for symbol in load_phone_set(phone_set) if fold([symbol], "timit48") == ["sil"]}
        assert silences(phone_set) == folded


def test_one_silence_in_one_reference_is_enough() -> None:
    assert not transcribed([], SILENCE)
    assert not transcribed([["b"], [], ["aa", "b"]], SILENCE)
    assert transcribed([["b"], [], ["aa", "sil"]], SILENCE)


def test_every_treatment_is_described() -> None:
    assert set(USED_BY) == set(RULES) == set(TREATMENTS)
