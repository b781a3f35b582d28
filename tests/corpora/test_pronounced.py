"""Utterances of which a corpus has only the words get phones in the prepare stage, or are left out and counted."""

import logging
from pathlib import Path

import pytest
from lhotse import MonoCut

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.cuts import phone_sequence, read_cuts, reference, utterance_cut, word_phones, write_cuts
from asr.corpora.pronounced import pronounce, write_coverage

THE = ("the", [("dh", "ah"), ("dh", "iy")])


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    path = tmp_path / "lexicon.txt"
    path.write_text("the DH AH0\nthe(1) DH IY0\ncat K AE1 T\nact AE K T\n")
    return path


def a_cut(name: str, text: str = "", **more: object) -> MonoCut:
    return utterance_cut(name, Path("/a.wav"), 16000, 16000, speaker="s", text=text, **more)  # type: ignore[arg-type]


def pronounced(cuts: list[MonoCut], out: Path, **settings: object) -> CorpusCuts:
    skipped: list[dict[str, str]] = []
    kept, words = pronounce(cuts, CorpusConfig.model_validate({"name": "librispeech", **settings}), skipped)
    write_coverage(words, out)
    return CorpusCuts(Path("/"), {"train": kept}, skipped, words=words)


def test_words_become_phones_and_come_back(lexicon: Path, tmp_path: Path) -> None:
    corpus = pronounced([a_cut("u1", "THE CAT")], tmp_path / "out", lexicon=str(lexicon))
    write_cuts(tmp_path / "cuts.jsonl.gz", corpus.manifests["train"])
    (cut,) = read_cuts(tmp_path / "cuts.jsonl.gz")
    assert word_phones(cut) == [THE, ("cat", [("k", "ae", "t")])]
    assert phone_sequence(cut) == reference(cut).symbols == ["dh", "ah", "k", "ae", "t"]
    assert reference(cut).pronunciations == word_phones(cut)
    assert not (tmp_path / "out").exists()


def test_a_reference_of_one_pronunciation_a_word_is_its_phones(lexicon: Path, tmp_path: Path) -> None:
    (cut,) = pronounced([a_cut("u1", "cat")], tmp_path, lexicon=str(lexicon)).manifests["train"]
    assert (reference(cut).symbols, reference(cut).pronunciations) == (["k", "ae", "t"], [])


def test_words_that_nothing_covers_are_counted_and_their_utterances_left_out(
    lexicon: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cuts = [a_cut("u1", "dog dog ape"), a_cut("u2", "the cat"), a_cut("u3", "the dog"), a_cut("u4", "...")]
    with caplog.at_level(logging.WARNING):
        corpus = pronounced(cuts, tmp_path, lexicon=str(lexicon))
    assert [cut.id for cut in corpus.manifests["train"]] == ["u2"]
    assert corpus.skipped == [
        {"utterance": "u1", "reason": "no pronunciation of dog, ape"},
        {"utterance": "u3", "reason": "no pronunciation of dog"},
        {"utterance": "u4", "reason": "its text has no words"},
    ]
    assert (tmp_path / "missing_words.tsv").read_text() == "dog\t3\nape\t1\n"
    assert "3 of 4 utterances left out: 2 words without a pronunciation" in caplog.text
    pronounced([cuts[1]], tmp_path, lexicon=str(lexicon))
    assert not (tmp_path / "missing_words.tsv").exists()


def test_the_g2ps_pronunciations_are_written_as_a_lexicon(lexicon: Path, tmp_path: Path) -> None:
    corpus = pronounced([a_cut("u1", "the tac")], tmp_path, lexicon=str(lexicon), g2p=True)
    guessed = tmp_path / "guessed_words.txt"
    again = pronounced([a_cut("u1", "the tac")], tmp_path / "again", lexicon=[str(guessed), str(lexicon)])
    assert again.manifests == corpus.manifests
    assert not corpus.skipped


def test_no_lexicon_is_read_where_all_have_phones(tmp_path: Path) -> None:
    cuts = [a_cut("u1", "dog", untimed_words=[("dog", ["d", "ao", "g"])]), a_cut("u2", "cat", phones=[("k", 0.0, 0.5)])]
    corpus = pronounced(list(cuts), tmp_path, lexicon=str(tmp_path / "none"))
    assert corpus.manifests["train"] == cuts
