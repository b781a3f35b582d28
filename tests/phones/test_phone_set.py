"""The foldings of Lee & Hon (1989), symbol by symbol, from expectations that do not come from the table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment
from asr.phones.folding import fold, fold_segments, folding
from asr.phones.phone_set import AnyPhoneSet, load_phone_set

# symbol: (48, 39); None: dropped.
EXPECTED: dict[str, tuple[str | None, str | None]] = {
    "aa": ("aa", "aa"),
    "ae": ("ae", "ae"),
    "ah": ("ah", "ah"),
    "ao": ("ao", "aa"),
    "aw": ("aw", "aw"),
    "ax": ("ax", "ah"),
    "ax-h": ("ax", "ah"),
    "axr": ("er", "er"),
    "ay": ("ay", "ay"),
    "b": ("b", "b"),
    "bcl": ("vcl", "sil"),
    "ch": ("ch", "ch"),
    "d": ("d", "d"),
    "dcl": ("vcl", "sil"),
    "dh": ("dh", "dh"),
    "dx": ("dx", "dx"),
    "eh": ("eh", "eh"),
    "el": ("el", "l"),
    "em": ("m", "m"),
    "en": ("en", "n"),
    "eng": ("ng", "ng"),
    "epi": ("epi", "sil"),
    "er": ("er", "er"),
    "ey": ("ey", "ey"),
    "f": ("f", "f"),
    "g": ("g", "g"),
    "gcl": ("vcl", "sil"),
    "h#": ("sil", "sil"),
    "hh": ("hh", "hh"),
    "hv": ("hh", "hh"),
    "ih": ("ih", "ih"),
    "ix": ("ix", "ih"),
    "iy": ("iy", "iy"),
    "jh": ("jh", "jh"),
    "k": ("k", "k"),
    "kcl": ("cl", "sil"),
    "l": ("l", "l"),
    "m": ("m", "m"),
    "n": ("n", "n"),
    "ng": ("ng", "ng"),
    "nx": ("n", "n"),
    "ow": ("ow", "ow"),
    "oy": ("oy", "oy"),
    "p": ("p", "p"),
    "pau": ("sil", "sil"),
    "pcl": ("cl", "sil"),
    "q": (None, None),
    "r": ("r", "r"),
    "s": ("s", "s"),
    "sh": ("sh", "sh"),
    "t": ("t", "t"),
    "tcl": ("cl", "sil"),
    "th": ("th", "th"),
    "uh": ("uh", "uh"),
    "uw": ("uw", "uw"),
    "ux": ("uw", "uw"),
    "v": ("v", "v"),
    "w": ("w", "w"),
    "y": ("y", "y"),
    "z": ("z", "z"),
    "zh": ("zh", "sh"),
}
SETS: tuple[AnyPhoneSet, ...] = ("timit61", "timit48", "cmu39", "timit39")


@pytest.mark.parametrize(("symbol", "folded"), EXPECTED.items())
def test_every_symbol_folds_as_published(symbol: str, folded: tuple[str | None, str | None]) -> None:
    to48, to39 = folded
    assert folding("timit48")[symbol] == to48
    assert folding("timit39")[symbol] == to39
    assert folding("timit61")[symbol] == symbol
    if to48 is not None:
        assert folding("timit39")[to48] == to39, "48 -> 39 must agree with 61 -> 39"


def test_sets_hold_what_they_are_named_for() -> None:
    assert [len(load_phone_set(name)) for name in SETS] == [61, 48, 40, 39]
    assert set(load_phone_set("timit61")) == set(EXPECTED)
    two: tuple[AnyPhoneSet, ...] = ("timit48", "timit39")
    for column, name in enumerate(two):
        assert set(load_phone_set(name)) == {folded[column] for folded in EXPECTED.values()} - {None}
    assert load_phone_set("timit39")[-1] == "sil"
    assert set(load_phone_set("timit39")) < set(load_phone_set("timit48"))


def test_cmu39_keeps_what_39_phones_of_timit_merge_and_has_no_flap() -> None:
    cmu, timit = set(load_phone_set("cmu39")), set(load_phone_set("timit39"))
    assert cmu - timit == {"ao", "zh"}
    assert timit - cmu == {"dx"}
    for symbol, (_, to39) in EXPECTED.items():
        expected = {"ao": "ao", "zh": "zh", "dx": "t"}.get(symbol, to39)
        assert folding("cmu39")[symbol] == expected
    assert fold(["ao", "zh", "t", "sil"], "timit39") == ["aa", "sh", "t", "sil"]


def test_what_was_merged_cannot_be_told_apart_again() -> None:
    assert fold(["aa", "sh"], "cmu39") == ["aa", "sh"], "symbols that both sets have"
    for target, larger in zip(SETS[1:], SETS, strict=False):
        assert set(load_phone_set(larger)) <= set(folding(target))
    with pytest.raises(InputError, match="'vcl'"):
        fold(["vcl"], "timit61")


@given(st.lists(st.sampled_from(sorted(EXPECTED))), st.sampled_from(SETS))
def test_folding_twice_is_folding_once(symbols: list[str], target: AnyPhoneSet) -> None:
    once = fold(symbols, target)
    assert fold(once, target) == once
    assert set(once) <= set(load_phone_set(target))
    assert fold(fold(symbols, "timit48"), "timit39") == fold(symbols, "timit39")


@pytest.mark.parametrize(
    ("symbol", "target"), [("xx", "timit39"), ("", "timit48"), ("sil", "timit61"), ("-", "timit48")]
)
def test_unknown_symbol_is_named(symbol: str, target: AnyPhoneSet) -> None:
    with pytest.raises(InputError, match=f"unknown phone {symbol!r}.*{target}"):
        fold(["aa", symbol], target)
    with pytest.raises(InputError, match="unknown phone"):
        fold_segments([PhoneSegment(symbol)], target)


def test_segments_keep_their_times_and_are_not_merged() -> None:
    segments = [
        PhoneSegment("h#", 0.0, 0.1),
        PhoneSegment("q", 0.1, 0.2),
        PhoneSegment("pcl", 0.2, 0.3),
        PhoneSegment("p", 0.3, 0.4, 0.5),
    ]
    assert fold_segments(segments, "timit39") == [
        PhoneSegment("sil", 0.0, 0.1),
        PhoneSegment("sil", 0.2, 0.3),
        PhoneSegment("p", 0.3, 0.4, 0.5),
    ]
