"""Words and phones as items of a graph."""

from pathlib import Path

import numpy as np
import pytest

from asr.alignment.forced_alignment import Classes
from asr.alignment.graph import Choice, Item
from asr.alignment.spoken import exact_phones, spoken_phones, spoken_word_phones, spoken_words
from asr.errors import InputError
from asr.phones.phone_set import PHONE_SETS, AnyPhoneSet, load_phone_set

LEXICON = {"the": [("dh", "ah"), ("dh", "iy")], "cat's": [("k", "ae", "t", "s")]}


def _said(item: Item, phone_set: AnyPhoneSet) -> set[str]:
    """All that an item allows, as text."""
    if isinstance(item, int):
        return {load_phone_set(phone_set)[item]}
    sequences: set[str] = set()
    for sequence in item:
        texts = {""}
        for inner in sequence:
            texts = {f"{text} {more}".strip() for text in texts for more in _said(inner, phone_set)}
        sequences |= texts
    return sequences


def test_words_have_their_pronunciations_and_silences_that_may_be_missing() -> None:
    spoken = spoken_words('The "cat\'s," -- THE', LEXICON, "cmu39")
    assert spoken.words == [None, "the", None, "cat's", None, "the", None]
    assert _said(spoken.items[0], "cmu39") == {"", "sil"}
    assert _said(spoken.items[1], "cmu39") == {"dh ah", "dh iy"}
    assert {"k ae t s", "sil k ae sil t s", "k ae sil s"} <= _said(spoken.items[3], "cmu39")


def test_accents_do_not_count_where_the_lexicon_has_no_such_letter() -> None:
    assert spoken_words("Thé cát's", LEXICON, "cmu39").items == spoken_words("the cat's", LEXICON, "cmu39").items
    with pytest.raises(InputError, match="not in the lexicon: josé;"):
        spoken_words("Thé José", LEXICON, "cmu39")
    with pytest.raises(InputError, match="thé"):
        spoken_words("thé", LEXICON | {"café": [("k",)]}, "cmu39")


def test_a_model_of_more_phones_hears_all_that_the_lexicon_does_not_tell_apart() -> None:
    said = _said(spoken_words("the cat's", LEXICON, "timit61").items[1], "timit61")
    assert {"dh ah", "dh ax", "dh ax-h", "dh iy"} == said
    cats = _said(spoken_words("the cat's", LEXICON, "timit61").items[3], "timit61")
    assert {"kcl k ae tcl s", "k ae dx s", "kcl k ae tcl t s"} <= cats
    assert "ae t s" not in cats
    assert _said(spoken_words("the", LEXICON, "timit61").items[0], "timit61") == {"", "h#", "pau"}


@pytest.mark.parametrize("phone", list("bdgptk"))
def test_a_stop_may_have_a_closure_before_it_or_no_release(phone: str) -> None:
    closure = f"{phone}cl"
    said = _said(spoken_words("word", {"word": [(phone,)]}, "timit61").items[1], "timit61")
    assert {phone, f"{closure} {phone}", closure} <= said
    assert said <= {phone, f"{closure} {phone}", closure} | {"dx", f"{closure} dx", "q"}


@pytest.mark.parametrize(("phone", "closure"), [("jh", "dcl"), ("ch", "tcl")])
def test_an_affricate_may_have_a_closure_before_it_but_is_always_released(phone: str, closure: str) -> None:
    said = _said(spoken_words("word", {"word": [(phone,)]}, "timit61").items[1], "timit61")
    assert said == {phone, f"{closure} {phone}"}
    assert _said(spoken_words("word", {"word": [(phone,)]}, "cmu39").items[1], "cmu39") == {phone, f"sil {phone}"}


def test_unknown_words_and_phones_are_named() -> None:
    with pytest.raises(InputError, match="not in the lexicon: dog, house"):
        spoken_words("the dog dog house", LEXICON, "timit61")
    with pytest.raises(InputError, match=r"not in the lexicon: 7, 3\.5; spell numbers out, or use --spell-numbers"):
        spoken_words("7 the 3.5", LEXICON, "timit61")
    with pytest.raises(InputError, match="no words"):
        spoken_words(" ... ", LEXICON, "timit61")
    with pytest.raises(InputError, match="unknown phone 'xx'"):
        spoken_phones(["ah", "xx"], "timit39")
    with pytest.raises(InputError, match="no phones"):
        spoken_phones(["q"], "timit39")


def test_phones_are_folded_and_silence_may_be_left_out_at_the_ends() -> None:
    assert [_said(item, "timit39") for item in exact_phones(["ax", "q", "tcl", "t"], "timit39").items] == [
        {"ah"},
        {"sil"},
        {"t"},
    ]
    assert [_said(item, "timit61") for item in spoken_phones(["ax", "h#"], "timit61").items] == [
        {"", "h#", "pau"},
        {"ax"},
        {"h#"},
    ]


@pytest.mark.parametrize("phone_set", PHONE_SETS)
@pytest.mark.parametrize("written", ["HH AH0 L OW1", "Hh Ah L Ow2", "hh ah l ow"])
def test_letter_case_and_stress_are_ignored_in_the_sets_that_ship(written: str, phone_set: str) -> None:
    items = spoken_phones(written.split(), phone_set).items[1:-1]
    assert [_said(item, phone_set) for item in items] == [{"hh"}, {"ah"}, {"l"}, {"ow"}]


@pytest.mark.parametrize("phone_set", PHONE_SETS)
@pytest.mark.parametrize("written", ["sp", "SP", "spn", "NSN", "<eps>", "#", "sp <eps> spn"])
def test_what_may_be_a_pause_is_an_optional_silence(written: str, phone_set: str) -> None:
    plain, paused = (spoken_phones(text.split(), phone_set).items for text in ("k m", f"k {written} m"))
    assert paused == [plain[0], plain[1], plain[0], plain[2], plain[3]]
    assert _said(plain[0], phone_set) == {"", *load_phone_set(phone_set).silences}
    assert spoken_phones(f"{written} k m {written}".split(), phone_set).items == plain


@pytest.mark.parametrize("phone_set", PHONE_SETS)
@pytest.mark.parametrize("written", ["sil", "SIL", "pau", "H#", "<sil>", "sp sil", "sil <eps>"])
def test_a_silence_is_one_and_has_no_optional_one_beside_it(written: str, phone_set: str) -> None:
    start, k, silence, m, end = spoken_phones(f"k {written} m".split(), phone_set).items
    assert _said(silence, phone_set) <= set(load_phone_set(phone_set).silences)
    assert spoken_phones(f"{written} k m {written}".split(), phone_set).items == [silence, k, m, silence]
    assert _said(start, phone_set) == _said(end, phone_set) != _said(silence, phone_set)


def test_silences_alone_are_a_transcript_but_pauses_alone_are_none() -> None:
    assert spoken_phones(["sil"], "timit39").items == exact_phones(["sil"], "timit39").items
    with pytest.raises(InputError, match="the transcript has no phones"):
        spoken_phones(["sp", "<eps>"], "timit39")


def test_an_own_phone_set_is_case_sensitive_and_its_own_symbols_come_first(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("a\nA\na1\nsp\n#\nQ\tsilence\n")
    items = spoken_phones(["a", "A", "a1", "sp", "#", "Q"], path).items
    assert [_said(item, path) for item in items[1:]] == [{"a"}, {"A"}, {"a1"}, {"sp"}, {"#"}, {"Q"}]
    assert _said(spoken_phones(["a", "sil", "A"], path).items[2], path) == {"Q"}
    for symbol in ("a2", "SIL", "q"):
        with pytest.raises(InputError, match=f"unknown phone '{symbol}'"):
            spoken_phones(["a", symbol], path)
    (tmp_path / "none.txt").write_text("a\nb\n")
    assert spoken_phones(["a", "sil", "b", "sp"], tmp_path / "none.txt").items == [0, 1]


def test_a_full_stop_may_end_an_abbreviation_or_the_sentence() -> None:
    lexicon = {"in": [("ih", "n")], "in.": [("ih", "n", "ch"), ("ih", "n")], "dr.": [("d", "aa")]}
    spoken = spoken_words("Dr. in 'in.'", lexicon, "timit39")
    assert spoken.words[1::2] == ["dr.", "in", "in"]
    assert _said(spoken.items[3], "timit39") == {"ih n"}
    assert {"ih n", "ih n ch"} <= _said(spoken.items[5], "timit39")


def test_pauses_are_allowed_between_all_words_so_notes_of_them_change_nothing() -> None:
    assert spoken_words("the [pause] cat’s <eps>", LEXICON, "cmu39") == spoken_words("the cat's", LEXICON, "cmu39")


def test_words_with_their_phones_are_taken_as_they_are() -> None:
    words = [("the", [("dh", "ah"), ("dh", "iy")]), ("cat", [("k", "ae", "t")])]
    spoken = spoken_word_phones(words, "cmu39")
    assert spoken.words == [None, "the", None, "cat", None]
    assert [_said(item, "cmu39") for item in spoken.items[1::2]] == [{"dh ah", "dh iy"}, {"k ae t"}]


def test_a_graph_has_no_more_states_than_its_variants_need() -> None:
    choice: Choice = [[[[0], [1]], [[2], []]], [1]]
    graph = Classes("hmm", 1, np.full(3, 1 / 3), np.full(3, 0.5)).graph([choice])
    assert len(graph) == 4
