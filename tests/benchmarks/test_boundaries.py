"""Another program's alignments beside labels that people made of them."""

from pathlib import Path

import numpy as np
import pytest
from lhotse import MonoCut
from support.corpora.own_corpora import write_textgrid

from asr.alignment.accuracy import labelled_boundaries
from asr.corpora.cuts import phone_segments, utterance_cut
from benchmarks.boundaries import Errors, ends, labels_of, other_alignment

LABELS = [("sil", 0.0, 0.1), ("t", 0.1, 0.2), ("a", 0.2, 0.35), ("sil", 0.35, 0.5)]
THEIRS = [("", 0.0, 0.1), ("tʰ", 0.1, 0.23), ("a:", 0.23, 0.35), ("", 0.35, 0.5)]
"""Narrow, and with one boundary that a person moved by 30 ms."""


@pytest.fixture
def cut() -> MonoCut:
    return utterance_cut("aka/one", Path("one.wav"), 16000, 8000, speaker="aka", phones=LABELS)


def write(folder: Path, intervals: list[tuple[str, float, float]]) -> None:
    (folder / "aka").mkdir()
    write_textgrid(folder / "aka" / "one.TextGrid", {"phones": tuple(intervals)})


def test_boundaries_that_were_moved_are_measured_apart(tmp_path: Path, cut: MonoCut) -> None:
    write(tmp_path, THEIRS)
    theirs = other_alignment(tmp_path, cut)
    errors = {}
    for name, (said, measured) in labels_of(cut, theirs).items():
        counted, times = labelled_boundaries(said)
        errors[name] = Errors([(ends(theirs) - times)[counted & measured]])
    assert np.concatenate(errors["all"].errors) == pytest.approx([0, 0.03, 0])
    assert np.concatenate(errors["corrected"].errors) == pytest.approx([0.03])
    row = errors["all"].row("theirs", "all")
    assert (row["boundaries"], row["within_20_ms"], row["within_50_ms"]) == (3, 66.7, 100.0)


@pytest.mark.parametrize("theirs", [[*THEIRS[:2], ("o", 0.23, 0.35), THEIRS[3]], THEIRS[1:]])
def test_other_phones_are_left_out(tmp_path: Path, cut: MonoCut, theirs: list[tuple[str, float, float]]) -> None:
    write(tmp_path, theirs)
    assert labels_of(cut, other_alignment(tmp_path, cut)) == {}


def test_an_utterance_without_an_alignment_is_left_out(tmp_path: Path, cut: MonoCut) -> None:
    assert labels_of(cut, other_alignment(tmp_path, cut)) == {}
    assert set(labels_of(cut, None)) == {"closures apart", "closures in stops"}
    assert [each.phone for each in phone_segments(cut)] == ["sil", "t", "a", "sil"]
