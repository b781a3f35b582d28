"""Long utterances are cut at their pauses, with all that is said in them, and short ones stay as they are."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from support.commands.asr_command import Command
from support.corpora.own_corpora import RATE, all_cuts

from asr.corpora.cuts import phone_segments, read_cuts
from asr.corpora.own.long_utterances import LongUtterances
from asr.corpora.own.turns import LONGEST, MARGIN, PAUSE, SHORTEST_PAUSE, WHOLE, is_spoken
from asr.corpora.own.utterance import Segment, Utterance
from asr.storage.run_layout import SPLITS

NEAR = 1e-6
LABELS = st.sampled_from(["aa", "s", "spn", "", "sil", "sp"])
LENGTHS = st.one_of(st.floats(0.03, 0.4), st.floats(0.4, 20.0))


@st.composite
def labelled(draw: st.DrawFn) -> list[Segment]:
    """The labels of more than a minute; now and then there is a gap between two."""
    segments, reached = [], draw(st.sampled_from([0.0, 0.2, 5.0]))
    for label, length, gap in draw(st.lists(st.tuples(LABELS, LENGTHS, st.sampled_from([0.0, 0.0, 0.3, 2.0])))):
        segments.append((reached, reached + length, label))
        reached += length + gap
    while reached <= WHOLE:
        segments += [
            (reached, reached + 0.4, "aa"),
            (reached + 0.4, reached + 0.5, "s"),
            (reached + 0.5, reached + 0.6, ""),
        ]
        reached += 0.6
    return segments


def utterance(segments: Sequence[Segment], words: Sequence[Segment] = ()) -> Utterance:
    text = " ".join(label for *_, label in words)
    at = Path("talk")
    return Utterance(id="talk", audio=at, where=at, start=7.0, segments=segments, words=words, text=text)


def spoken(segments: Sequence[Segment]) -> list[Segment]:
    return [segment for segment in segments if is_spoken(segment[2])]


@given(labelled(), st.integers(1, 5))
def test_nothing_is_lost_or_twice_and_no_part_with_a_pause_is_long(segments: list[Segment], size: int) -> None:
    said = spoken(segments)
    words = [(run[0][0], run[-1][1], "word") for n in range(0, len(said), size) if (run := said[n : n + size])]
    duration = max(segments[-1][1], WHOLE + 0.1)
    parts = LongUtterances().parts(utterance(segments, words), duration, is_spoken)
    assert [part.id for part in parts] == sorted({part.id for part in parts})
    assert [part.start for part in parts] == sorted(part.start for part in parts)
    for tier, all_of_it in (("segments", said), ("words", words)):
        found = []
        for part in parts:
            labels = getattr(part, tier)
            length = part.duration or duration
            assert all(0 <= start < end <= length + NEAR for start, end, _ in labels)
            assert all(one[1] <= other[0] + NEAR for one, other in pairwise(labels))
            shift = part.start - 7.0
            found += [(start + shift, end + shift, label) for start, end, label in spoken(labels)]
        assert [label for *_, label in found] == [label for *_, label in all_of_it]
        np.testing.assert_allclose([row[:2] for row in found], [row[:2] for row in all_of_it], atol=NEAR)
    for part in parts:
        assert part.text.split() == ["word"] * len(part.words)
        pauses = [
            after[0] - before[1]
            for before, after in pairwise(spoken(part.segments))
            if not any(start < after[0] - NEAR and end > before[1] + NEAR for start, end, _ in part.words)
        ]
        assert all(pause < PAUSE for pause in pauses)
        if (part.duration or duration) > LONGEST:
            assert all(pause < SHORTEST_PAUSE for pause in pauses)


def test_the_longest_pause_of_a_long_part_counts_and_margins_are_silent() -> None:
    pauses = {20: 0.1, 25: 0.3, 31: 0.2, 62: 0.8}
    segments: list[Segment] = []
    for second in range(70):
        pause = pauses.get(second, 0.0)
        segments += [(second, second + pause, "sil")] * (pause > 0) + [(second + pause, second + 1.0, "aa")]
    parts = LongUtterances().parts(utterance(segments), 70.0, is_spoken)
    spans = [(round(part.start - 7, 6), round(part.start - 7 + (part.duration or 0), 6)) for part in parts]
    assert spans == [(0.0, 25.3), (25.0, 31.2), (31.0, 62.3), (62.8 - MARGIN, 70.0)]
    assert parts[1].segments[0] == (0.0, pytest.approx(0.3), "sil")


@pytest.mark.parametrize("shorter", [0.0, 1e-6])
def test_a_long_list_of_pauses_is_cut_quickly_into_parts_that_are_not_short(shorter: float) -> None:
    """Also where each pause is shorter than the one before."""
    segments = [(0.3 * n + 0.1 - shorter * n, 0.3 * n + 0.3, "aa") for n in range(50_000)]
    parts = LongUtterances().parts(utterance(segments), 15_000.0, is_spoken)
    assert sum(len(spoken(part.segments)) for part in parts) == 50_000
    assert all(5 < (part.duration or 0.0) <= LONGEST for part in parts)


def _recording(folder: Path, name: str, seconds: int, number: int) -> list[tuple[str, float, float]]:
    """Audio, and the phones of it: in each second two, and a pause of 0.6 s or, every tenth second, of 5.6 s."""
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / f"{name}.wav", np.random.default_rng(number).normal(0, 0.1, seconds * RATE), RATE)
    speech = [second for second in range(seconds) if second % 10 < 5]
    return [
        phone
        for second in speech
        for phone in (("s", second + 0.3, second + 0.45), ("iy", second + 0.45, second + 0.7))
    ]


def _textgrid(
    path: Path, phones: list[tuple[str, float, float]], seconds: int, speaker: str = "", more: str = ""
) -> None:
    def tier(name: str, labels: list[tuple[str, float, float]]) -> str:
        rows, reached = "", 0.0
        for label, start, end in labels:
            rows += f'{reached} {start} ""\n{start} {end} "{label}"\n'
            reached = end
        return f'"IntervalTier" "{name}" 0 {seconds} {rows.count(chr(10)) + 1}\n{rows}{reached} {seconds} ""\n'

    words = [("see", one[1], other[2]) for one, other in zip(phones[::2], phones[1::2], strict=True)]
    header = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0 {seconds} <exists> {3 if more else 2}\n'
    path.write_text(header + tier(f"{speaker}words", words) + tier(f"{speaker}phones", phones) + more)


@pytest.mark.parametrize("layout", ["textgrid", "folder", "csv"])
def test_a_long_recording_of_any_layout_with_times_is_cut(layout: str, tmp_path: Path, asr_command: Command) -> None:
    rows = []
    for number in range(3):
        folder = tmp_path / "corpus" / f"speaker{number}"
        phones = _recording(folder, "talk", 80, number)
        if layout == "textgrid":
            _textgrid(folder / "talk.TextGrid", phones, 80)
        elif layout == "folder":
            lines = [f"{round(start * RATE)} {round(end * RATE)} {phone}\n" for phone, start, end in phones]
            (folder / "talk.phn").write_text("".join(lines))
        else:
            times = [{"phone": phone, "start": start, "end": end} for phone, start, end in phones]
            rows.append({"audio": str(folder / "talk.wav"), "speaker": f"speaker{number}", "phones": times})
    if layout == "csv":
        (tmp_path / "corpus" / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = asr_command("prepare", layout, tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0
    assert "corpus: 3 long utterances (of more than 60 s) cut at pauses into 120\n" in outcome.err
    cuts = sorted(all_cuts(tmp_path / "out"), key=lambda cut: cut.id)
    assert [cut.id for cut in cuts[:2]] == ["speaker0/talk-0001", "speaker0/talk-0002"]
    assert {cut.supervisions[0].speaker for cut in cuts[:40]} == {"speaker0"}
    for cut, second in zip(cuts[:40], (second for second in range(80) if second % 10 < 5), strict=True):
        assert cut.start == pytest.approx(second + 0.3 - MARGIN)
        assert cut.duration == pytest.approx(0.4 + 2 * MARGIN)
        heard = [(each.phone, each.start, each.end) for each in phone_segments(cut) if each.phone != "sil"]
        assert [phone for phone, *_ in heard] == ["s", "iy"]
        assert [round((cut.start + time) * RATE) for _, *times in heard for time in times] == [
            round((second + time) * RATE) for time in (0.3, 0.45, 0.45, 0.7)
        ]
        assert cut.supervisions[0].text == ("see" if layout == "textgrid" else "")


def test_the_parts_of_a_recording_are_on_one_side(tmp_path: Path, asr_command: Command) -> None:
    for number in range(4):
        phones = _recording(tmp_path / "corpus" / "ann", f"talk{number}", 70, number)
        _textgrid(tmp_path / "corpus" / "ann" / f"talk{number}.TextGrid", phones, 70)
    outcome = asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "out", "--split-by", "recording")
    assert outcome.status == 0
    counts = json.loads((tmp_path / "out" / "summary.json").read_text())["splits"]
    assert {name: split["utterances"] for name, split in counts.items()} == {"train": 70, "dev": 35, "test": 35}
    sides: dict[str, set[str]] = {}
    for split in SPLITS:
        for cut in read_cuts(tmp_path / "out" / f"{split}.cuts.jsonl.gz"):
            sides.setdefault(cut.recording.sources[0].source, set()).add(split)
    assert sorted(map(sorted, sides.values())) == [["dev"], ["test"], ["train"], ["train"]]


def test_a_minute_stays_whole_and_says_nothing(tmp_path: Path, asr_command: Command) -> None:
    for number in range(3):
        folder = tmp_path / "corpus" / f"speaker{number}"
        _textgrid(folder / "talk.TextGrid", _recording(folder, "talk", 60, number), 60)
    outcome = asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    assert {cut.id: (cut.start, cut.duration, len(phone_segments(cut))) for cut in all_cuts(tmp_path / "out")} == {
        f"speaker{number}/talk": (0.0, 60.0, 2 * 30 + 31) for number in range(3)
    }


def test_what_has_no_pause_or_no_times_stays_whole_with_a_warning(tmp_path: Path, asr_command: Command) -> None:
    for number in range(3):
        folder = tmp_path / "corpus" / f"speaker{number}"
        _recording(folder, "talk", 70, number)
        lines = [f"{RATE * second} {RATE * (second + 1)} aa\n" for second in range(1, 70)]
        (folder / "talk.phn").write_text("".join(lines))
        _recording(folder, "read", 65, number)
        (folder / "read.txt").write_text("aa aa aa\n")
    outcome = asr_command("prepare", "folder", tmp_path / "corpus", tmp_path / "out", "--text", "phones")
    assert outcome.status == 0
    assert "6 utterances of more than 30 s, the longest speaker2/talk (70 s), without pauses to cut at" in outcome.err
    assert "cut at pauses into" not in outcome.err
    cuts = {cut.id: cut for cut in all_cuts(tmp_path / "out")}
    assert sorted(cuts) == [f"speaker{n}/{name}" for n in range(3) for name in ("read", "talk")]
    assert len(phone_segments(cuts["speaker0/talk"])) == 69


def test_words_alone_are_cut_at_their_pauses() -> None:
    words = [(second + 0.2, second + 1.0 - 0.4 * (second % 8 == 7), f"word{second}") for second in range(64)]
    parts = LongUtterances().parts(utterance([], words), 64.0, is_spoken)
    assert [part.text for part in parts] == [" ".join(f"word{n}" for n in range(at, at + 8)) for at in range(0, 64, 8)]


def test_parts_with_words_and_no_phones_are_left_out() -> None:
    segments = [(1.0, 2.0, "aa"), (2.0, 70.0, "")]
    parts = LongUtterances().parts(utterance(segments, [(1.0, 2.0, "a"), (50.0, 52.0, "lost")]), 70.0, is_spoken)
    assert [(part.id, part.text) for part in parts] == [("talk-0001", "a")]


def test_pauses_are_those_of_the_phone_set(tmp_path: Path, asr_command: Command) -> None:
    (tmp_path / "mine.txt").write_text("<p:>\tsilence\naa\t-\n")
    for number in range(3):
        folder = tmp_path / "corpus" / f"speaker{number}"
        _recording(folder, "talk", 70, number)
        lines = [f"{RATE * n} {RATE * (n + 1)} {'<p:>' if n % 7 == 6 else 'aa'}\n" for n in range(70)]
        (folder / "talk.phn").write_text("".join(lines))
    command = ("prepare", "folder", tmp_path / "corpus", tmp_path / "out", "--phone-set", tmp_path / "mine.txt")
    assert "3 long utterances (of more than 60 s) cut at pauses into 30" in asr_command(*command).err


def test_labels_a_little_outside_the_audio_are_kept() -> None:
    segments = [(-0.01, 1.0, "aa"), (1.0, 69.0, ""), (69.0, 70.01, "s")]
    parts = LongUtterances().parts(utterance(segments), 70.0, is_spoken)
    assert [[label for *_, label in spoken(part.segments)] for part in parts] == [["aa"], ["s"]]
    assert parts[1].segments[-1] == (pytest.approx(MARGIN), pytest.approx(1 + MARGIN), "s")


def test_a_long_turn_of_one_of_several_speakers_is_cut(tmp_path: Path, asr_command: Command) -> None:
    for number in range(3):
        ann, bob = f"ann{number}", f"bob{number}"
        phones = _recording(tmp_path / "corpus", f"talk{number}", 90, number)
        path = tmp_path / "corpus" / f"talk{number}.TextGrid"
        _textgrid(path, phones, 90, f"{ann} - ", f'"IntervalTier" "{bob} - phones" 0 90 1\n76 77 "aa"\n')
    outcome = asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "out")
    assert "corpus: 3 long utterances (of more than 60 s) cut at pauses into 120\n" in outcome.err
    names = sorted(cut.id for cut in all_cuts(tmp_path / "out") if cut.id.startswith("talk0"))
    first = [f"talk0-0001-ann0-{number:04d}" for number in range(1, 41)]
    assert names == [*first, "talk0-0002-bob0", "talk0-0003-ann0"]
