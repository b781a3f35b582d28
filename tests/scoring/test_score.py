import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.config import ScoringConfig
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, write_transcripts
from asr.phones.folding import fold
from asr.phones.phone_set import load_phone_set
from asr.scoring.bootstrap import intervals
from asr.scoring.counted import ErrorCounter
from asr.scoring.edit_alignment import Counts
from asr.scoring.results import ScoreResult, confusions, read_utterances, summarize, worst, write_result
from asr.scoring.score import counted_per, score, score_files
from asr.scoring.silence import TREATMENTS

CONFIG = ScoringConfig(bootstrap=200)
PHONES_61 = st.lists(st.sampled_from(load_phone_set("timit61")), max_size=20)


def transcript(utterance: str, symbols: str, speaker: str | None = None) -> Transcript:
    return Transcript(utterance, [PhoneSegment(symbol) for symbol in symbols.split()], speaker)


REFERENCES = [
    transcript("f1-a", "h# sh iy kcl k q ae n h#", "f1"),
    transcript("f1-b", "h# pau b iy h#", "f1"),
    transcript("m1-a", "h# aa dcl d h#", "m1"),
]
HYPOTHESES = [
    transcript("m1-a", "sil aa d"),
    transcript("f1-a", "sil sh iy cl k ah n sil"),
    transcript("f1-b", "sil b iy iy sil"),
]


def test_three_treatments_of_a_small_set() -> None:
    result = score(REFERENCES, HYPOTHESES, CONFIG)
    counts = {treatment: result.treatments[treatment].counts for treatment in TREATMENTS}
    # counted: ae-ah; an insertion of iy; two silences missing.
    assert counts["counted"] == Counts(1, 2, 1, 17)
    assert counts["optional"] == Counts(1, 0, 1, 18)
    assert counts["removed"] == Counts(1, 0, 1, 9)
    assert result.by_speaker["m1"]["counted"] == Counts(0, 2, 0, 5)
    assert sum((speaker["counted"] for speaker in result.by_speaker.values()), Counts()) == counts["counted"]


def test_results_json() -> None:
    row = score(REFERENCES, HYPOTHESES, CONFIG).to_json()
    assert (row["schema"], row["utterances"], row["speakers"], row["resampled"]) == (1, 3, 2, "speakers")
    for treatment in TREATMENTS:
        low, high = row[treatment]["interval"]
        assert low <= row[treatment]["per"] <= high
    assert row["removed"]["per"] == pytest.approx(100 * 2 / 9, abs=1e-3)
    assert json.loads(json.dumps(row)) == row


def test_where_no_reference_has_silence_that_of_hypotheses_counts_for_nothing() -> None:
    references = [transcript("a", "dh ah k ae t", "f1"), transcript("b", "s ae t", "m1")]
    hypotheses = [transcript("a", "sil dh ah sil sil k ae p sil", "f1"), transcript("b", "sil sil", "m1")]
    config = ScoringConfig(phone_set="cmu39", bootstrap=50)
    result = score(references, hypotheses, config)
    for treatment in TREATMENTS:
        assert result.treatments[treatment].counts == Counts(1, 3, 0, 8)
    assert (result.silence_transcribed, result.to_json()["silence_transcribed"]) == (False, False)
    assert summarize(result.utterances, config) == result
    pairs = [
        (reference.symbols, hypothesis.symbols) for reference, hypothesis in zip(references, hypotheses, strict=True)
    ]
    assert counted_per(pairs, "cmu39") == 50.0
    # One silence in any reference, and those of all hypotheses count again.
    with_silence = [transcript("a", "sil dh ah k ae t", "f1"), references[1]]
    result = score(with_silence, hypotheses, config)
    assert result.silence_transcribed
    assert result.treatments["counted"].counts == Counts(2, 2, 2, 9)
    assert counted_per([(with_silence[0].symbols, pairs[0][1]), pairs[1]], "cmu39") == pytest.approx(100 * 6 / 9)


def test_one_speaker_resamples_utterances() -> None:
    assert score(REFERENCES[:2], HYPOTHESES[1:], CONFIG).resampled == "utterances"


@pytest.mark.parametrize("speakers", [("f1", None), (None, None), ("f1", "m1", None)])
def test_unknown_is_no_speaker(speakers: tuple[str | None, ...]) -> None:
    references = [transcript(f"u{number}", "sil aa sil", speaker) for number, speaker in enumerate(speakers)]
    result = score(references, references, CONFIG)
    assert result.resampled == "utterances"
    assert result.to_json()["speakers"] == len(set(speakers) - {None})


@given(st.lists(st.tuples(PHONES_61, PHONES_61), min_size=1, max_size=4))
def test_folding_first_changes_nothing(pairs: list[tuple[list[str], list[str]]]) -> None:
    """References and hypotheses in 61, 48 or 39 phones give the same 39-phone counts."""
    pairs = [(["sh", *reference], hypothesis) for reference, hypothesis in pairs]
    expected = counted_per(pairs)
    for phone_set in ("timit48", "timit39"):
        assert counted_per((fold(ref, phone_set), fold(hyp, phone_set)) for ref, hyp in pairs) == expected
        assert counted_per((ref, fold(hyp, phone_set)) for ref, hyp in pairs) == expected


def test_counted_per_is_the_counted_figure() -> None:
    by_utterance = {item.utterance: item.symbols for item in HYPOTHESES}
    pairs = [(item.symbols, by_utterance[item.utterance]) for item in REFERENCES]
    assert counted_per(pairs) == score(REFERENCES, HYPOTHESES, CONFIG).treatments["counted"].counts.per


def test_pooling_folds_is_scoring_all_at_once() -> None:
    together = score(REFERENCES, HYPOTHESES, CONFIG, seed=3)
    folds = [score(REFERENCES[:2], HYPOTHESES[1:], CONFIG), score(REFERENCES[2:], HYPOTHESES[:1], CONFIG)]
    assert summarize([item for fold in folds for item in fold.utterances], CONFIG, seed=3) == together
    with pytest.raises(InputError, match="f1-a is scored twice"):
        summarize([*folds[0].utterances, *folds[0].utterances], CONFIG)


def test_a_score_folder_is_read_back_and_is_the_same_bytes_again(tmp_path: Path) -> None:
    result = score(REFERENCES, HYPOTHESES, CONFIG)
    write_result(result, tmp_path / "one")
    write_result(summarize(read_utterances(tmp_path / "one/utterances.jsonl"), CONFIG), tmp_path / "two")
    for name in ("results.json", "utterances.jsonl", "confusions.tsv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert (tmp_path / "one/confusions.tsv").read_text().splitlines()[1] == "sil\tsil\t6"


def test_confusions_hold_every_pair() -> None:
    pairs = confusions(score(REFERENCES, HYPOTHESES, CONFIG).utterances)
    assert pairs["ae", "ah"] == 1
    assert pairs["sil", None] == 2
    assert pairs[None, "iy"] == 1
    assert pairs["sil", "sil"] == 6


def test_the_worst_utterances_come_first() -> None:
    assert [item.utterance for item in worst(score(REFERENCES, HYPOTHESES, CONFIG).utterances, 2)] == ["m1-a", "f1-b"]


def test_an_empty_hypothesis_is_all_deletions() -> None:
    counts = score(REFERENCES[2:], [Transcript("m1-a")], CONFIG).treatments["counted"].counts
    assert counts == Counts(0, 5, 0, 5)


@pytest.mark.parametrize(
    ("references", "hypotheses", "message"),
    [
        (REFERENCES, HYPOTHESES[:2], "f1-b has no hypothesis"),
        (REFERENCES[:2], HYPOTHESES, "m1-a has no reference"),
        (REFERENCES * 2, HYPOTHESES, "f1-a occurs twice in the references"),
        (REFERENCES, HYPOTHESES * 2, "m1-a occurs twice in the hypotheses"),
        (REFERENCES[2:], [transcript("m1-a", "sil xx")], "utterance m1-a.*xx"),
        ([Transcript("a")], [Transcript("a")], "no phones"),
        ([], [], "no phones"),
    ],
)
def test_mistakes_are_named(references: list[Transcript], hypotheses: list[Transcript], message: str) -> None:
    with pytest.raises(InputError, match=message):
        score(references, hypotheses, CONFIG)


def test_files(tmp_path: Path) -> None:
    write_transcripts(tmp_path / "references.jsonl", REFERENCES)
    write_transcripts(tmp_path / "hypotheses.jsonl", HYPOTHESES)
    result = score_files(tmp_path / "references.jsonl", tmp_path / "hypotheses.jsonl", tmp_path / "score", CONFIG)
    assert json.loads((tmp_path / "score/results.json").read_text()) == result.to_json()
    write_transcripts(tmp_path / "hypotheses.jsonl", HYPOTHESES[:1])
    with pytest.raises(InputError, match=r"hypotheses.jsonl against .*references.jsonl: utterance f1-a"):
        score_files(tmp_path / "references.jsonl", tmp_path / "hypotheses.jsonl", None, CONFIG)


@pytest.mark.parametrize("line", ['{"utterance": "a"}', '{"utterance": "a", "speaker": "b", "counts": 3}'])
def test_a_broken_line_of_utterances_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "utterances.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=r"utterances.jsonl:1: not a scored utterance"):
        read_utterances(tmp_path / "utterances.jsonl")


@pytest.mark.corpora
def test_the_sample_has_4874_reference_phones_when_counted(sample_references: list[Transcript]) -> None:
    hypotheses = [transcript(item.utterance, "sil") for item in sample_references]
    result = score(sample_references, hypotheses, CONFIG)
    phones = {treatment: result.treatments[treatment].counts.reference_phones for treatment in TREATMENTS}
    assert len(result.utterances) == 128
    assert len(result.by_speaker) == 16
    assert phones == {"counted": 4874, "optional": 4893, "removed": 3904}


def test_the_intervals_resample_speakers_and_utterances_where_some_are_unknown() -> None:
    texts = ["sil aa b sil", "sil aa sil", "sil b sil", "sil b aa b aa sil"]
    names = ["f1-a", "f1-b", "f2-a", "f2-b"]

    def scores(speakers: list[str | None]) -> ScoreResult:
        said, recognised = (
            [
                Transcript(name, [PhoneSegment(phone) for phone in text.split()], speaker)
                for name, text, speaker in zip(names, sides, speakers, strict=True)
            ]
            for sides in (texts, ["sil sil", "sil aa sil", "sil b b b sil", "sil b aa b sil"])
        )
        return score(said, recognised, CONFIG)

    def counts(result: ScoreResult) -> list[tuple[int, int]]:
        return sorted((block["counted"].errors, block["counted"].reference_phones) for block in result.blocks)

    known, unknown = scores(["f1", "f1", "f2", "f2"]), scores(["f1", "f1", "f2", None])
    assert (known.resampled, unknown.resampled) == ("speakers", "utterances")
    assert counts(known) == [(3, 7), (3, 9)]
    assert counts(unknown) == [(0, 3), (1, 6), (2, 3), (3, 4)]
    for result in (known, unknown):
        errors, phones = zip(
            *[(each["counted"].errors, each["counted"].reference_phones) for each in result.blocks], strict=True
        )
        assert result.treatments["counted"].interval == intervals([errors], [phones], CONFIG.bootstrap, 0)[0]


@given(st.lists(st.tuples(PHONES_61, PHONES_61), min_size=1, max_size=4))
def test_errors_of_indices_are_those_of_symbols(pairs: list[tuple[list[str], list[str]]]) -> None:
    pairs = [(["sh", *reference], hypothesis) for reference, hypothesis in pairs]
    phones = load_phone_set("timit61")
    counter = ErrorCounter((reference for reference, _ in pairs), phones)
    errors = [
        counter.errors(number, np.array([phones.index(symbol) for symbol in hypothesis], np.int32))
        for number, (_, hypothesis) in enumerate(pairs)
    ]
    spoken = [Transcript(str(n), [PhoneSegment(s) for s in reference]) for n, (reference, _) in enumerate(pairs)]
    found = [Transcript(str(n), [PhoneSegment(s) for s in hypothesis]) for n, (_, hypothesis) in enumerate(pairs)]
    counted = score(spoken, found, CONFIG).treatments["counted"].counts
    assert (sum(errors), counter.reference_phones) == (counted.errors, counted.reference_phones)
