"""Words and phones as items of a graph."""

import numpy as np
import pytest

from asr.alignment.forced_alignment import Classes
from asr.alignment.graph import Choice, Item
from asr.alignment.spoken import exact_phones, spoken_phones, spoken_word_phones, spoken_words
from asr.errors import InputError
from asr.phones.phone_set import AnyPhoneSet, load_phone_set

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


def test_words_with_their_phones_are_taken_as_they_are() -> None:
    spoken = spoken_word_phones([("the", ["dh", "ah"]), ("cat", ["k", "ae", "t"])], "cmu39")
    assert spoken.words == [None, "the", None, "cat", None]
    assert [_said(item, "cmu39") for item in spoken.items[1::2]] == [{"dh ah"}, {"k ae t"}]


def test_a_graph_has_no_more_states_than_its_variants_need() -> None:
    choice: Choice = [[[[0], [1]], [[2], []]], [1]]
    graph = Classes("hmm", 1, np.full(3, 1 / 3), np.full(3, 0.5)).graph([choice])
    assert len(graph) == 4
