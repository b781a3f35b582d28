"""References with several pronunciations of a word: those count that fit best, as among all sequences of them."""

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.config import ScoringConfig
from asr.formats.transcript import PhoneSegment, PronouncedWord, Transcript, read_transcripts, write_transcripts
from asr.scoring.calibration import judge
from asr.scoring.compare import difference
from asr.scoring.edit_alignment import DELETION_WEIGHT, INSERTION_WEIGHT, SUBSTITUTION_WEIGHT, edit_alignment
from asr.scoring.oracle import oracle
from asr.scoring.pronunciations import fitting_phones
from asr.scoring.results import read_utterances, write_result
from asr.scoring.score import score, score_files
from asr.scoring.stage import score_stage

THE_CAT: list[PronouncedWord] = [("the", [("dh", "ah"), ("dh", "iy")]), ("cat", [("k", "ae", "t")])]

phones = st.sampled_from(["aa", "b", "k", "t"])
pronunciations = st.lists(st.lists(phones, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3)
spoken_words = st.lists(st.tuples(st.just("word"), pronunciations), min_size=1, max_size=4)


def weight(reference: list[str], hypothesis: list[str]) -> int:
    """The weight of sclite's alignment."""
    return sum(
        INSERTION_WEIGHT if said is None else DELETION_WEIGHT if heard is None else SUBSTITUTION_WEIGHT
        for said, heard in edit_alignment(reference, hypothesis)
        if said != heard
    )


@given(spoken_words, st.lists(phones, max_size=8))
def test_the_pronunciations_are_the_best_of_all_their_sequences(
    words: list[PronouncedWord], hypothesis: list[str]
) -> None:
    found = fitting_phones(words, hypothesis, "cmu39")
    sequences = [[phone for each in chosen for phone in each] for chosen in product(*(each for _, each in words))]
    assert found in sequences
    assert weight(found, hypothesis) == min(weight(sequence, hypothesis) for sequence in sequences)


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        ("dh iy k ae t", "dh iy k ae t"),
        ("sil dh sil iy sil k ae t sil", "dh iy k ae t"),
        ("dh ah k ae t", "dh ah k ae t"),
        ("", "dh ah k ae t"),
    ],
)
def test_silences_count_for_nothing_and_the_first_of_equals_wins(hypothesis: str, expected: str) -> None:
    assert fitting_phones(THE_CAT, hypothesis.split(), "cmu39") == expected.split()


def test_phones_are_folded() -> None:
    assert fitting_phones(["dh", "zh"], [], "timit39") == ["dh", "sh"]
    assert fitting_phones([("vision", [("v", "ih", "zh", "ah", "n")])], [], "timit39") == ["v", "ih", "sh", "ah", "n"]


def a_reference(pronounced: list[PronouncedWord] = THE_CAT) -> Transcript:
    first = [PhoneSegment(phone) for _, each in pronounced for phone in each[0]]
    return Transcript("u1", first, "s1", pronunciations=pronounced)


def said(utterance: str, symbols: str, score: float | None = None) -> Transcript:
    return Transcript(utterance, [PhoneSegment(symbol, score=score) for symbol in symbols.split()], "s1")


def test_every_figure_counts_the_best_pronunciation(tmp_path: Path) -> None:
    hypothesis = said("u1", "sil dh iy k ae d sil", 0.9)
    config = ScoringConfig(phone_set="cmu39")
    result = score([a_reference()], [hypothesis], config)
    assert {each.counts.errors for each in result.treatments.values()} == {1}
    assert {each.counts.reference_phones for each in result.treatments.values()} == {5}
    _, correct = judge([(a_reference(), hypothesis)], "cmu39")
    assert correct.tolist() == [True, True, True, True, False]
    lists = [(THE_CAT, hypothesis.symbols, [["dh", "ah", "k"], ["dh", "iy", "k", "ae", "t"]])]
    assert oracle(lists, 2, "cmu39").oracle_per == 0.0
    assert oracle(lists, 2, "cmu39").per == 20.0

    references, hypotheses = tmp_path / "references.jsonl", tmp_path / "hypotheses.jsonl"
    write_transcripts(references, [said("u0", "aa"), a_reference()])
    write_transcripts(hypotheses, [hypothesis, said("u0", "aa", 0.9)])  # in another order
    assert score_files(references, hypotheses, None, config).treatments["counted"].counts.errors == 1
    score_stage(references, hypotheses, tmp_path / "score", config)
    assert json.loads((tmp_path / "score" / "calibration.json").read_text())["accuracy"] == pytest.approx(5 / 6)


def test_silence_of_other_references_does_not_count_against_words() -> None:
    references = [said("u0", "sil aa"), a_reference()]
    result = score(references, [said("u0", "sil aa"), said("u1", "sil dh iy k ae t")], ScoringConfig(phone_set="cmu39"))
    assert result.treatments["counted"].counts.errors == 0


def test_pronunciations_are_a_field_of_references(tmp_path: Path) -> None:
    path = tmp_path / "references.jsonl"
    write_transcripts(path, [a_reference()])
    assert json.loads(path.read_text())["pronunciations"] == [["the", "dh ah", "dh iy"], ["cat", "k ae t"]]
    assert list(read_transcripts(path)) == [a_reference()]


def test_systems_are_compared_where_they_chose_pronunciations_of_different_lengths(tmp_path: Path) -> None:
    word: list[PronouncedWord] = [("every", [("eh", "v", "er", "iy"), ("eh", "v", "r", "iy", "aa")])]
    config = ScoringConfig(phone_set="cmu39", bootstrap=20)
    first, second = (score([a_reference(word)], [said("u1", heard)], config) for heard in ("eh v er b", "eh v r iy aa"))
    found = difference(first, second, 20, seed=0)["counted"]
    assert (found.points, found.interval) == (-25.0, (-25.0, -25.0))
    write_result(first, tmp_path)
    assert [each.pronounced for each in read_utterances(tmp_path / "utterances.jsonl")] == [True]
