"""Frame accuracy, and the errors of boundaries and durations, by hand-made times."""

import json
from pathlib import Path

import pytest

from asr.config import ScoringConfig
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, write_transcripts
from asr.scoring.stage import score_stage
from asr.scoring.timing import Timing, timing
from asr.storage.output_folder import output_folder


def spoken(*phones: tuple[str, float, float], name: str = "u") -> Transcript:
    return Transcript(name, [PhoneSegment(*phone) for phone in phones])


def by_name(rows: list[Timing]) -> dict[str, Timing]:
    return {row.name: row for row in rows}


REFERENCE = spoken(("sil", 0, 0.1), ("k", 0.1, 0.2), ("ae", 0.2, 0.4), ("t", 0.4, 0.5), ("sil", 0.5, 0.6))
HYPOTHESIS = spoken(("sil", 0, 0.08), ("k", 0.08, 0.23), ("ae", 0.23, 0.4), ("d", 0.4, 0.5), ("sil", 0.5, 0.6))


def test_each_figure_of_all_phones() -> None:
    row = timing([(REFERENCE, HYPOTHESIS)])[0]
    assert (row.name, row.frames, row.boundaries, row.phones) == ("all", 60, 4, 4)
    assert row.frame_accuracy == pytest.approx(100 * (60 - 2 - 3 - 10) / 60, abs=1e-3)
    # -20 ms at k, +30 ms at ae, none at the end of ae and at the beginning of the last silence
    assert row.within == {10: 50.0, 20: 75.0, 50: 100.0}
    assert (row.boundary_bias, row.boundary_error) == (2.5, 12.5)
    # sil -20, k +50, ae -30, sil 0
    assert (row.duration_bias, row.duration_error) == (0.0, 25.0)


def test_each_class_has_its_own() -> None:
    rows = by_name(timing([(REFERENCE, HYPOTHESIS)]))
    assert list(rows) == ["all", "vowel", "stop", "silence"]
    assert (rows["vowel"].boundaries, rows["vowel"].boundary_bias, rows["vowel"].duration_bias) == (2, 15.0, -30.0)
    assert (rows["stop"].frames, rows["stop"].frame_accuracy, rows["stop"].phones) == (20, 50.0, 1)
    assert sum(rows[name].boundaries for name in rows if name != "all") == rows["all"].boundaries


def test_phones_are_folded_and_dropped_ones_have_no_frames() -> None:
    reference = spoken(("h#", 0, 0.1), ("q", 0.1, 0.2), ("ix", 0.2, 0.3), ("h#", 0.3, 0.4))
    hypothesis = spoken(("sil", 0, 0.2), ("ih", 0.2, 0.3), ("sil", 0.3, 0.4))
    row = timing([(reference, hypothesis)])[0]
    assert (row.frames, row.frame_accuracy, row.boundary_error, row.phones) == (30, 100.0, 0.0, 3)


def test_runs_of_silence_are_one() -> None:
    reference = spoken(("ae", 0, 0.1), ("tcl", 0.1, 0.2), ("h#", 0.2, 0.4))
    hypothesis = spoken(("ae", 0, 0.1), ("sil", 0.1, 0.4))
    row = timing([(reference, hypothesis)])[0]
    assert (row.boundaries, row.phones, row.duration_error) == (1, 2, 0.0)


def test_utterances_without_times_are_left_out() -> None:
    plain = Transcript("v", [PhoneSegment("k")])
    assert timing([(plain, plain), (plain, HYPOTHESIS)]) == []
    assert timing([(plain, plain), (REFERENCE, HYPOTHESIS)]) == timing([(REFERENCE, HYPOTHESIS)])


def test_an_empty_hypothesis_has_no_frame_right() -> None:
    row = timing([(REFERENCE, Transcript("u"))])[0]
    assert (row.frames, row.frame_accuracy, row.boundaries, row.boundary_error) == (60, 0.0, 0, None)


def test_the_score_stage_writes_it_whatever_the_order_of_the_files(tmp_path: Path) -> None:
    other = spoken(("sil", 0, 0.3), ("s", 0.3, 0.6), name="v")
    write_transcripts(tmp_path / "ref.jsonl", [REFERENCE, other])
    write_transcripts(tmp_path / "hyp.jsonl", [other, HYPOTHESIS])
    score_stage(tmp_path / "ref.jsonl", tmp_path / "hyp.jsonl", tmp_path / "out", ScoringConfig(bootstrap=10))
    written = json.loads((tmp_path / "out" / "timing.json").read_text())
    assert written["all"] == timing([(REFERENCE, HYPOTHESIS), (other, other)])[0].to_json()
    assert written["vowel"]["within"]["20 ms"] == 50.0


def test_an_earlier_file_does_not_stay(tmp_path: Path) -> None:
    for phones in (HYPOTHESIS, Transcript("u", [PhoneSegment(phone) for phone in HYPOTHESIS.symbols])):
        write_transcripts(tmp_path / "ref.jsonl", [REFERENCE])
        write_transcripts(tmp_path / "hyp.jsonl", [phones])
        score_stage(tmp_path / "ref.jsonl", tmp_path / "hyp.jsonl", tmp_path / "out", ScoringConfig(bootstrap=10))
    assert not (tmp_path / "out" / "timing.json").exists()


def test_a_file_of_the_user_stays(tmp_path: Path) -> None:
    plain = Transcript("u", [PhoneSegment(phone) for phone in HYPOTHESIS.symbols])
    for name in ("ref", "hyp"):
        write_transcripts(tmp_path / f"{name}.jsonl", [plain])
    names = ("timing.json", "calibration.json")
    with output_folder(tmp_path / "out", "score", "--out"):
        for name in names:
            (tmp_path / "out" / name).write_text("mine")
        score_stage(tmp_path / "ref.jsonl", tmp_path / "hyp.jsonl", tmp_path / "out", ScoringConfig(bootstrap=10))
    assert [(tmp_path / "out" / name).read_text() for name in names] == ["mine", "mine"]


def test_a_phone_of_no_set_is_named() -> None:
    with pytest.raises(InputError, match="unknown phone 'qqq'"):
        timing([(spoken(("qqq", 0, 0.1)), HYPOTHESIS)])
