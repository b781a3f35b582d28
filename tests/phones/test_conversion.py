"""Phones of a model's set in another notation: what is dropped, what is merged, and when it is spoken."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import InputError
from asr.formats.transcript import Alternative, PhoneSegment, Transcript
from asr.phones.conversion import conversion
from asr.phones.folding import fold
from asr.phones.phone_set import PHONE_SETS, load_phone_set


def spoken(symbols: str, scores: list[float | None] | None = None) -> Transcript:
    """Phones of 0.1 s, one after another; `_` is a gap."""
    found = [
        PhoneSegment(symbol, round(number / 10, 4), round((number + 1) / 10, 4), scores[number] if scores else None)
        for number, symbol in enumerate(symbols.split())
        if symbol != "_"
    ]
    return Transcript("u", found)


def shown(transcript: Transcript) -> list[tuple[str, float | None, float | None]]:
    return [(each.phone, each.start, each.end) for each in transcript.phones]


def converted(symbols: str, notation: str, source: str = "timit61") -> list[tuple[str, float | None, float | None]]:
    convert = conversion(notation, source)
    assert convert is not None
    return shown(convert(spoken(symbols)))


def test_a_closure_and_its_release_are_one_ipa_symbol() -> None:
    assert converted("h# kcl k ae tcl t h#", "ipa") == [("k", 0.1, 0.3), ("æ", 0.3, 0.4), ("t", 0.4, 0.6)]


def test_a_closure_of_another_stop_or_apart_from_it_is_unreleased() -> None:
    assert converted("tcl k", "ipa") == [("t̚", 0.0, 0.1), ("k", 0.1, 0.2)]
    assert converted("kcl _ k", "ipa") == [("k̚", 0.0, 0.1), ("k", 0.2, 0.3)]


def test_a_closure_of_no_stop_in_particular_is_a_gap() -> None:
    assert converted("cl k ae cl", "ipa", "timit48") == [("k", 0.0, 0.2), ("æ", 0.2, 0.3)]


def test_silence_before_a_stop_is_not_part_of_it() -> None:
    assert converted("sil b iy sil", "ipa", "timit39") == [("b", 0.1, 0.2), ("i", 0.2, 0.3)]


def test_silences_that_fold_together_and_touch_are_one() -> None:
    assert converted("h# pau kcl k", "timit39") == [("sil", 0.0, 0.3), ("k", 0.3, 0.4)]
    assert converted("pau _ pau", "timit39") == [("sil", 0.0, 0.1), ("sil", 0.2, 0.3)]


def test_other_phones_that_fold_together_stay_two() -> None:
    assert converted("ao aa", "timit39") == [("aa", 0.0, 0.1), ("aa", 0.1, 0.2)]


def test_a_dropped_phone_leaves_a_gap() -> None:
    assert converted("pau q pau ae q", "timit39") == [("sil", 0.0, 0.1), ("sil", 0.2, 0.3), ("ae", 0.3, 0.4)]


def test_a_merged_phone_has_the_mean_score_by_duration() -> None:
    convert = conversion("timit39", "timit61")
    assert convert is not None
    phones = [PhoneSegment("pau", 0.0, 0.3, 0.9), PhoneSegment("kcl", 0.3, 0.4, 0.5), PhoneSegment("k", 0.4, 0.5, 0.1)]
    assert convert(Transcript("u", phones)).phones == [
        PhoneSegment("sil", 0.0, 0.4, 0.8),
        PhoneSegment("k", 0.4, 0.5, 0.1),
    ]
    phones[1] = PhoneSegment("kcl", 0.3, 0.4)
    assert convert(Transcript("u", phones)).phones[0].score is None


def test_intervals_of_the_boundaries_that_remain_stay() -> None:
    convert = conversion("ipa", "timit61")
    assert convert is not None
    given_transcript = spoken("h# kcl k ae h#")
    given_transcript.intervals.extend([(0.1, 0.1), (0.2, 0.2), (0.3, 0.3), (0.4, 0.4)])
    assert convert(given_transcript).intervals == [(0.3, 0.3)]


def test_n_best_hypotheses_are_converted_too() -> None:
    convert = conversion("timit39", "timit61")
    assert convert is not None
    best = Transcript("u", nbest=[Alternative(spoken("h# pau ao").phones, 0.5)])
    [alternative] = convert(best).nbest
    assert [each.phone for each in alternative.phones] == ["sil", "aa"]
    assert alternative.score == 0.5


SYMBOLS = st.lists(st.sampled_from([*load_phone_set("timit61"), "_"]), max_size=20)


@given(SYMBOLS, st.sampled_from([*PHONE_SETS, "ipa"]))
def test_times_stay_monotone_and_nothing_is_lost(symbols: list[str], notation: str) -> None:
    convert = conversion(notation, "timit61")
    assert convert is not None
    before = spoken(" ".join(symbols))
    after = convert(before)
    assert all(one.end <= other.start for one, other in pairwise(after.phones) if one.end and other.start)
    assert all(each.start < each.end for each in after.phones if each.end)
    known = {time for each in before.phones for time in (each.start, each.end)}
    assert all({each.start, each.end} <= known for each in after.phones)
    if notation != "ipa":
        folded = fold(before.symbols, notation)
        kept = [symbol for symbol in folded if symbol not in load_phone_set(notation).silences]
        assert [each.phone for each in after.phones if each.phone not in load_phone_set(notation).silences] == kept


@pytest.mark.parametrize("name", PHONE_SETS)
def test_every_set_that_ships_has_ipa(name: str) -> None:
    assert conversion("ipa", name) is not None


def test_the_models_own_phones_need_no_conversion() -> None:
    assert conversion("model", "timit48") is None


def test_an_unknown_notation_or_symbol_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'timit40'.*ipa"):
        conversion("timit40", "timit48")
    with pytest.raises(InputError, match="no folding from timit39 to timit61"):
        conversion("timit61", "timit39")
    (tmp_path / "mine.tsv").write_text("a\nsil\tsilence\n")
    with pytest.raises(InputError, match=r"mine: 'a' has no IPA"):
        conversion("ipa", tmp_path / "mine.tsv")
    convert = conversion("ipa", "timit48")
    assert convert is not None
    with pytest.raises(InputError, match="'xx' is not in the model's phone set"):
        convert(spoken("xx"))
