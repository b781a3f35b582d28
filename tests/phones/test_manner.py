import pytest

from asr.phones.manner import manner
from asr.phones.phone_set import PHONE_SETS, PhoneSet, load_phone_set

CLASSES = {"iy": "vowel", "oy": "vowel", "er": "vowel", "s": "fricative", "hh": "fricative", "ng": "nasal", "p": "stop"}


@pytest.mark.parametrize(("symbol", "expected"), [*CLASSES.items(), ("jh", "affricate"), ("w", "approximant")])
def test_classes_of_the_common_phones(symbol: str, expected: str) -> None:
    assert manner(symbol, load_phone_set("timit39")) == expected


@pytest.mark.parametrize("name", PHONE_SETS)
def test_every_phone_of_the_sets_that_ship_has_a_class(name: str) -> None:
    phones = load_phone_set(name)
    assert "other" not in {manner(phone, phones) for phone in phones}


def test_a_set_without_ipa_has_other_phones(tmp_path) -> None:
    (tmp_path / "mine.tsv").write_text("a\nb\tstop\nsil\tsilence\n")
    phones: PhoneSet = load_phone_set(str(tmp_path / "mine.tsv"))
    assert [manner(phone, phones) for phone in phones] == ["other", "stop", "silence"]


IPA = {"t͡ʃ": "affricate", "k͡p": "stop", "ɓ": "stop", "ɬ": "fricative", "aʊ": "vowel", "ɽ": "stop", "ǃ": "other"}


@pytest.mark.parametrize(("symbol", "expected"), IPA.items())
def test_classes_of_ipa(symbol: str, expected: str, tmp_path) -> None:
    (tmp_path / "mine.tsv").write_text(f"{symbol}\t-\t{symbol}\nsil\tsilence\n", encoding="utf-8")
    assert manner(symbol, load_phone_set(str(tmp_path / "mine.tsv"))) == expected
