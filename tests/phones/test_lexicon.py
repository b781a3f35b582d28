"""Lexicons in their common forms, and the message for a broken one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import InputError
from asr.phones.lexicon import CMUDICT, phones_of_lexicons, read_lexicon
from asr.phones.phone_set import load_phone_set

CMU_DICTIONARY = """\
;;; # CMUdict  --  Major Version: 0.07
'TIS  T IH1 Z
READ  R EH1 D
READ(1)  R IY1 D

aalborg AO1 L B AO0 R G # place, danish
aalborg(2) AA1 L B AO0 R G
"""
KALDI = "<UNK> SPN\n!SIL SIL\nread R EH D\nread\tR IY D\nread R EH D\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "lexicon.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_cmu_dictionary(tmp_path: Path) -> None:
    assert read_lexicon(written(tmp_path, CMU_DICTIONARY)) == {
        "'tis": [("t", "ih", "z")],
        "read": [("r", "eh", "d"), ("r", "iy", "d")],
        "aalborg": [("ao", "l", "b", "ao", "r", "g"), ("aa", "l", "b", "ao", "r", "g")],
    }


def test_kaldis_lexicon(tmp_path: Path) -> None:
    assert read_lexicon(written(tmp_path, KALDI)) == {"!sil": [("sil",)], "read": [("r", "eh", "d"), ("r", "iy", "d")]}


def test_several_words_before_a_tab_are_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    path = written(tmp_path, "да\td̪ a\nда нет\td̪ a nʲ e t̪\nнет\tnʲ e t̪ \nда d̪ a\t\nда да\td̪ a\nд’а\td̪ a\n")
    assert (phones := phones_of_lexicons([path])) is not None
    assert "нет" not in phones
    assert set(read_lexicon(path, phones)) == {"нет", "да", "д'а"}
    assert caplog.messages == [f"{path}: 2 lines with several words before the tab left out, the first 2"]


@pytest.mark.parametrize("header", ["word\tphones", "\ufeffWords Phonemes", "WORD\tpronunciation", "word\tIPA"])
def test_names_of_columns_in_the_first_line_are_no_word(tmp_path: Path, header: str) -> None:
    path = written(tmp_path, f"{header}\nда\td̪ a\n")
    assert (phones := phones_of_lexicons([path])) is not None
    assert phones.symbols == ("sil", "a", "d̪")
    assert list(read_lexicon(path, phones)) == ["да"]


@pytest.mark.parametrize("text", ["да d̪ a\nword phones\n", "phones word\nда d̪ a\n", "word phones a\nда d̪ a\n"])
def test_names_of_columns_in_other_places_are_words(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    assert len(read_lexicon(path, phones_of_lexicons([path]) or "cmu39")) == 2


def test_another_phone_set(tmp_path: Path) -> None:
    path = written(tmp_path, "abandon ax b ae1 n d ax-h n\n")
    assert read_lexicon(path, "timit61") == {"abandon": [("ax", "b", "ae", "n", "d", "ax-h", "n")]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a AH0\nread R EH1 DD\n", r"lexicon\.txt:2: unknown phone 'DD': it is not in cmu39.*; see docs/languages\.md"),
        ("read R 1.0 D\n", r"lexicon\.txt:1: unknown phone '1\.0'"),
        ("read R 1 D\n", r"lexicon\.txt:1: unknown phone '1'"),
        ("a AH0\n\nread\n", r"lexicon\.txt:3: word 'read' has no phones"),
        ("мама,m a m\n", r"lexicon\.txt:1: 'мама,m' has a comma or semicolon after the word; put a tab there"),
        ("мама\t/m a/\n", r"lexicon\.txt:1: the phones of 'мама' are in // or \[\]; leave these out"),
        ("мама\t[m a]\n", r"lexicon\.txt:1: the phones of 'мама' are in"),
        ("read # no phones\n", r"lexicon\.txt:1: word 'read' has no phones"),
        (";;; nothing\n<UNK> SPN\n", r"lexicon\.txt: holds no words"),
    ],
)
def test_mistakes_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_lexicon(written(tmp_path, text))


def test_a_missing_lexicon_or_one_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none: cannot read: No such file"):
        read_lexicon(tmp_path / "none")
    with pytest.raises(InputError, match="cannot read: Is a directory"):
        read_lexicon(tmp_path)
    (tmp_path / "binary").write_bytes(b"a AH0\n\x00\x01")
    with pytest.raises(InputError, match="binary:2: has NUL bytes"):
        read_lexicon(tmp_path / "binary")


@pytest.mark.parametrize(
    "line",
    [
        "found 0.5 F AW N D",
        "found\t0.99\t0.1\t1.2\t9e-1\tF AW1 N D",
        "found 0.5\tF AW N D",
        "FOUND 1 F AW1 N D",
        "found(2)  F AW1 N D  # a comment",
        "Found F AW1 N D # a comment",
        "found\u00a0 F\tAW1 N D",
        "\ufefffound F AW1 N D",
    ],
    ids=[
        "Kaldi's probability",
        "MFA's four",
        "a number and a tab",
        "NLTK's number",
        "numbered",
        "comment",
        "no-break space",
        "mark",
    ],
)
def test_every_form_says_the_same(tmp_path: Path, line: str) -> None:
    assert read_lexicon(written(tmp_path, line + "\r\n")) == {"found": [("f", "aw", "n", "d")]}


def test_lines_that_are_not_words_are_passed_over(tmp_path: Path) -> None:
    noises = "<cutoff>\tspn\n[bracketed]\t0.99\tspn\nlaughter SPN\n"
    text = f";;; one\n# two\n##\n{noises}  # three\na AH0\n#hash HH AE1 SH\n"
    assert list(read_lexicon(written(tmp_path, text))) == ["a", "#hash"]


def test_no_more_than_four_numbers_are_taken_off_and_phones_must_follow(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":1: unknown phone '5'"):
        read_lexicon(written(tmp_path, "a 1 2 3 4 5 AH0\n"))
    with pytest.raises(InputError, match=r":1: word 'a' has no phones"):
        read_lexicon(written(tmp_path, "a 0.5 1\n"))


def test_phones_that_are_numbers_are_phones(tmp_path: Path) -> None:
    (tmp_path / "tones.txt").write_text("a\n1\n2\nsp\n")
    text = "ma 1 a\nma 0.5 2 a\nshort sp\n"
    expected = {"ma": [("1", "a"), ("2", "a")], "short": [("sp",)]}
    assert read_lexicon(written(tmp_path, text), tmp_path / "tones.txt") == expected


def test_words_are_spelled_as_in_texts(tmp_path: Path) -> None:
    path = written(tmp_path, "Don’t D OW1 N T\ncafe\u0301 K AH0 F EY1\n")
    assert list(read_lexicon(path)) == ["don't", "café"]


def test_latin_1_as_in_the_cmu_dictionary_is_read_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cmudict-0.7b"
    path.write_bytes("A  AH0\nDÉJÀ  D EY2 ZH AA1\nCAFÉ  K AH0 F EY1\n".encode("latin-1"))
    assert list(read_lexicon(path)) == ["a", "déjà", "café"]
    [warning] = caplog.messages
    assert warning.startswith(f"{path}:2: is not UTF-8")


def test_narrow_phones_are_their_letters_where_the_set_lacks_them(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("a\nt\ntʰ\n")
    path = written(tmp_path, "at aː t\u032a\ntea tʰ aː\n")
    assert read_lexicon(path, tmp_path / "letters.txt", broad_ipa=True) == {"at": [("a", "t")], "tea": [("tʰ", "a")]}
    with pytest.raises(InputError, match=r":1: unknown phone 'aː'"):
        read_lexicon(path, tmp_path / "letters.txt")


def test_lexicons_have_a_phone_set_of_their_own_unless_most_is_the_dictionary_s(tmp_path: Path) -> None:
    own = written(tmp_path, "she ʃ i\nsaid s ɛ d\nnoise spn\n")
    found = phones_of_lexicons([own])
    assert found is not None
    assert found.symbols == ("sil", "d", "i", "s", "ɛ", "ʃ")
    (tmp_path / "typo.txt").write_text("she SH IY1\nsaid S EHH1 D\n")
    assert phones_of_lexicons([tmp_path / "typo.txt"]) is None
    assert phones_of_lexicons([CMUDICT, own]) is None
    (tmp_path / "blank.txt").write_text("she ʃ i\nsaid s ɛ <blank>\n")
    with pytest.raises(InputError, match=r"blank\.txt:2: symbol '<blank>' is reserved"):
        phones_of_lexicons([tmp_path / "blank.txt"])


PRONUNCIATION = st.lists(st.sampled_from(load_phone_set("cmu39")), min_size=1, max_size=8).map(tuple)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=8)


@given(st.dictionaries(WORDS, st.lists(PRONUNCIATION, min_size=1, max_size=3, unique=True), min_size=1))
def test_what_is_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, lexicon: dict[str, list[tuple[str, ...]]]
) -> None:
    lines = []
    for word, pronunciations in lexicon.items():
        for number, phones in enumerate(pronunciations):
            numbered = f"{word}({number})" if number else word
            lines.append(f"{numbered.upper()}  {' '.join(phones).upper()}\n")
    assert read_lexicon(written(tmp_path_factory.mktemp("lexicon"), "".join(lines))) == lexicon


@pytest.mark.corpora
def test_the_lexicon_of_speechocean762(speechocean762: Path) -> None:
    path = speechocean762 / "resource" / "lexicon.txt"
    lexicon = read_lexicon(path)
    assert lexicon["a"] == [("ah",), ("ey",)]
    assert len(lexicon) == len({line.split()[0] for line in path.read_text().splitlines()})
