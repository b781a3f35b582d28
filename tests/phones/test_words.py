"""Words of texts as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.phones.words import spelling, split_words

LEXICON = {
    *("we", "found", "a", "yellow", "glove", "don't", "mr", "mr.", "em", "'em", "dogs", "dogs'", "cat's"),
    *("well", "known", "mother-in-law", "and", "or", "café", "fine", "[laughter]", "laughs", "a.m."),
}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("We don’t", ["we", "don't"]),
        ("donʼt don‘t don`t don´t don＇t", ["don't"] * 5),
        ("'We found' a glove", ["we", "found", "a", "glove"]),
        ("‘We found’ “a” «glove» ``yellow''", ["we", "found", "a", "glove", "yellow"]),
        ("_glove_ *glove* **glove** -glove glove- —glove… ¿glove? (glove) |", ["glove"] * 8),
        ("found 'em, em", ["found", "'em", "em"]),
        ("“'em” ('em)", ["'em", "'em"]),
        ("the dogs' 'dogs'"[4:], ["dogs'", "dogs'"]),
        ("'a' cat's", ["a", "cat's"]),
        ("Mr. Mr “Mr.”, mr.;", ["mr.", "mr", "mr.", "mr."]),
        ("A. a.m. glove.", ["a", "a.m.", "glove"]),
        ("glove,yellow", ["glove", "yellow"]),
        ("and/or well-known mother-in-law", ["and", "or", "well", "known", "mother-in-law"]),
        ("found—a…yellow", ["found", "a", "yellow"]),
        ("we\u00a0found\u2003a\u3000glove\tyellow  we", ["we", "found", "a", "glove", "yellow", "we"]),
        ("gl\u00adove\ufeff we\u200bfound", ["glove", "we", "found"]),
        ("cafe\u0301 CAFÉ ﬁne", ["café", "café", "fine"]),
        ("<i>We</i> found<br/>a", ["we", "found", "a"]),
        ("we [noise] found {BREATH} a (laughs) glove *coughs* <eps>", ["we", "found", "a", "glove"]),
        ("found[noise]a(Laughs)glove", ["found", "a", "glove"]),
        ("[laughter] laughs", ["[laughter]", "laughs"]),
        ("don&#39;t don&rsquo;t &quot;we&quot;", ["don't", "don't", "we"]),
        (" -- ... '' \" [x] ", []),
    ],
)
def test_a_text_is_what_its_writer_meant(text: str, words: list[str]) -> None:
    assert split_words(text, LEXICON) == (words, [])


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("we found 7 gloves", ["7", "gloves"]),
        ("7 11 we 3.5 1,999 $5 ½", ["7", "11", "3.5", "1,999", "$5", "1⁄2"]),
        ("glove,yelow", ["yelow"]),
        ("we & a + %", ["&", "+", "%"]),
        ("we <unk> [oov]", ["<unk>", "[oov]"]),
        ("'cause rock'n'roll", ["cause", "rock'n'roll"]),
        ("a < we [found", ["<"]),
    ],
)
def test_what_is_not_in_the_lexicon_is_reported_as_it_is_written(text: str, unknown: list[str]) -> None:
    assert split_words(text, LEXICON)[1] == unknown


def test_punctuation_alone_is_no_word_even_where_the_lexicon_has_it() -> None:
    assert split_words("we - ' found .", LEXICON | {"-", "'", "."}) == (["we", "found"], [])


def test_numbers_are_spelled_where_the_lexicon_does_not_have_them() -> None:
    spell = {"7": "seven", "11": "eleven", "40": "forty-two"}.get
    assert split_words("7-11, 40. 3d", {"seven", "eleven", "forty", "two", "3d"}, spell) == (
        ["seven", "eleven", "forty", "two", "3d"],
        [],
    )
    assert split_words("三 a", {"three", "a"}, {"三": "three"}.get) == (["three", "a"], [])
    for token in ("x7", "7/11", "$7", "7.11.40", "7%", "-7"):
        assert split_words(token, {"seven", "eleven"}, spell)[1] == [token]


@given(st.text("ab'’-_.,<>[]( )*&;1é\u00a0\u200b"))
def test_any_text_is_words_without_anything_around_them(text: str) -> None:
    known = {"a", "b", "ab", "'a"}
    words, unknown = split_words(text, known)
    assert unknown == [word for word in words if word not in known]
    unsigned = [word.removeprefix("-") if word[1:2] == "1" else word for word in unknown]
    assert [word for word in unsigned if word != word.strip("'-_.,()*\u00a0\u200b ")] == []


@given(st.lists(st.sampled_from(sorted(LEXICON - {"em", "mr", "dogs", "a"})), max_size=6))
def test_words_of_the_lexicon_come_back(words: list[str]) -> None:
    for text in (" ".join(words), "  ".join(f"“{word}”" for word in words), " ".join(words).upper()):
        assert split_words(text, LEXICON) == (words, [])


@given(st.text(st.characters(max_codepoint=0x4FF, categories=["Lu", "Ll"]), min_size=1))
def test_a_word_is_found_by_its_spelling(word: str) -> None:
    assert split_words(f" {word} ", {spelling(word)}) == ([spelling(word)], [])
