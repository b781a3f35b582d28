"""Lexicons in their common forms, and the message for a broken one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import InputError
from asr.phones.lexicon import read_lexicon
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
    path.write_text(text)
    return path


def test_the_cmu_dictionary(tmp_path: Path) -> None:
    assert read_lexicon(written(tmp_path, CMU_DICTIONARY)) == {
        "'tis": [("t", "ih", "z")],
        "read": [("r", "eh", "d"), ("r", "iy", "d")],
        "aalborg": [("ao", "l", "b", "ao", "r", "g"), ("aa", "l", "b", "ao", "r", "g")],
    }


def test_kaldis_lexicon(tmp_path: Path) -> None:
    assert read_lexicon(written(tmp_path, KALDI)) == {"!sil": [("sil",)], "read": [("r", "eh", "d"), ("r", "iy", "d")]}


def test_another_phone_set(tmp_path: Path) -> None:
    path = written(tmp_path, "abandon ax b ae1 n d ax-h n\n")
    assert read_lexicon(path, "timit61") == {"abandon": [("ax", "b", "ae", "n", "d", "ax-h", "n")]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a AH0\nread R EH1 DD\n", r"lexicon\.txt:2: unknown phone 'DD': it is not in cmu39"),
        ("read R 1.0 D\n", r"lexicon\.txt:1: unknown phone '1\.0'"),
        ("read R 1 D\n", r"lexicon\.txt:1: unknown phone '1'"),
        ("a AH0\n\nread\n", r"lexicon\.txt:3: word 'read' has no phones"),
        ("read # no phones\n", r"lexicon\.txt:1: word 'read' has no phones"),
        (";;; nothing\n<UNK> SPN\n", r"lexicon\.txt: holds no words"),
    ],
)
def test_mistakes_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_lexicon(written(tmp_path, text))


def test_a_missing_lexicon_or_one_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none: cannot read the lexicon: No such file"):
        read_lexicon(tmp_path / "none")
    with pytest.raises(InputError, match="cannot read the lexicon: Is a directory"):
        read_lexicon(tmp_path)
    (tmp_path / "latin1").write_bytes("DÉJÀ  D EY1 ZH\n".encode("latin-1"))
    with pytest.raises(InputError, match="latin1: is not a UTF-8 text file"):
        read_lexicon(tmp_path / "latin1")


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
