"""Speakers who share a recording: each turn is an utterance, without what others say."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.commands.asr_command import Command
from support.corpora.own_corpora import RATE

from asr.corpora.cuts import phone_segments, read_cuts
from asr.corpora.own.turns import MARGIN, Turn, is_spoken, turns_of

ANN = [(0.0, 0.5, ""), (0.5, 0.75, "s"), (0.75, 1.0, "iy"), (1.0, 3.0, "sil"), (3.0, 3.5, "aa"), (3.5, 4.0, "")]
BOB = [(0.0, 1.25, ""), (1.25, 1.5, "t"), (1.5, 4.0, "")]


def test_a_turn_ends_where_another_speaks() -> None:
    turns, lost = turns_of({"ann": ANN, "bob": BOB}, 4.0)
    assert turns == [Turn("ann", 0.2, 1.25), Turn("bob", 1.0, 1.8), Turn("ann", 2.7, 3.8)]
    assert lost == 0
    first = turns[0].inside(ANN, is_spoken)
    assert [label for *_, label in first] == ["", "s", "iy", "sil"]
    assert first[1][:2] == pytest.approx((0.3, 0.55))
    assert first[-1][1] == pytest.approx(1.05)
    assert [label for *_, label in turns[2].inside(ANN, is_spoken)] == ["sil", "aa", ""]


def test_a_pause_alone_ends_no_turn() -> None:
    assert turns_of({"ann": ANN, "bob": [(0.0, 3.0, ""), (3.0, 4.0, "<eps>")]}, 4.0)[0] == [Turn("ann", 0.2, 3.8)]


def test_phones_of_two_at_once_are_in_no_turn() -> None:
    bob = [(0.0, 0.9, ""), (0.9, 1.5, "t"), (1.5, 1.6, "aa"), (1.6, 4.0, "")]
    turns, lost = turns_of({"ann": ANN, "bob": bob}, 4.0)
    assert turns == [Turn("ann", 0.2, 0.75), Turn("bob", 1.5, 1.6 + MARGIN), Turn("ann", 2.7, 3.8)]
    assert lost == pytest.approx(0.25 + 0.6)
    assert [label for *_, label in turns[0].inside(ANN, is_spoken)] == ["", "s"]


def _tier(name: str, segments: list[tuple[float, float, str]]) -> str:
    rows = "".join(f'{start} {end} "{label}"\n' for start, end, label in segments)
    return f'"IntervalTier" "{name}" 0 4 {len(segments)}\n{rows}'


def _recording(folder: Path, number: int, bob: list[tuple[float, float, str]]) -> None:
    ann, other = f"ann {number}", f"bob {number}"
    words = [(0.0, 0.5, ""), (0.5, 1.0, "see"), (1.0, 3.0, ""), (3.0, 3.5, "ah"), (3.5, 4.0, "")]
    tiers = [_tier(f"{ann} - words", words), _tier(f"{ann} - phones", ANN)]
    tiers += [_tier(f"{other} - words", [(0.0, 4.0, "t")]), _tier(f"{other} - phones", bob)]
    header = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0 4 <exists> 4\n'
    folder.mkdir(exist_ok=True)
    (folder / f"talk{number}.TextGrid").write_text(header + "".join(tiers))
    noise = np.random.default_rng(number).normal(0, 0.1, 4 * RATE)
    soundfile.write(folder / f"talk{number}.wav", noise, RATE)


def test_each_turn_of_a_text_grid_is_an_utterance(tmp_path: Path, asr_command: Command) -> None:
    for number in range(3):
        _recording(tmp_path / "corpus", number, BOB)
    outcome = asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    cuts = {
        cut.id: cut for split in ("train", "dev", "test") for cut in read_cuts(tmp_path / f"out/{split}.cuts.jsonl.gz")
    }
    assert sorted(cuts) == sorted(
        f"talk{number}-000{turn}-{name}_{number}"
        for number in range(3)
        for turn, name in ((1, "ann"), (2, "bob"), (3, "ann"))
    )
    first = cuts["talk0-0001-ann_0"]
    assert (first.supervisions[0].speaker, first.supervisions[0].text) == ("ann 0", "see")
    assert [each.phone for each in phone_segments(first)] == ["sil", "s", "iy", "sil"]
    assert first.start + phone_segments(first)[1].start == pytest.approx(0.5)


def test_what_two_say_at_once_is_left_out_and_said(tmp_path: Path, asr_command: Command) -> None:
    for number in range(3):
        _recording(tmp_path / "corpus", number, [(0.0, 0.9, ""), (0.9, 1.5, "t"), (1.5, 4.0, "")])
    outcome = asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0
    assert re.search(r"corpus: 2\.5\d? s of the phones are left out", outcome.err)
