"""`asr align` on recordings of several speakers: each utterance by itself, and one TextGrid as MFA writes it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.commands.asr_command import Command
from support.corpora.recordings import errors, rows

from asr.errors import InputError
from asr.formats.phn import read_labels
from asr.formats.registry import writer
from asr.formats.textgrid_reader import Segment, TextGrid, read_transcript
from asr.formats.transcript import PhoneSegment, Transcript, WordSegment, read_transcripts
from asr.library.transcription import Transcription
from asr.recordings.sources import Found, Source
from asr.recordings.speakers import utterances_of
from asr.recordings.transcripts import FileTranscripts, divided

RATE = 16000


def write_grid(path: Path, tiers: dict[str, list[Segment]], end: float) -> Path:
    """Intervals without labels fill the gaps, as in Praat."""
    text = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0 {end} <exists> {len(tiers)}\n'
    for name, segments in tiers.items():
        filled, reached = [], 0.0
        for start, stop, label in segments:
            filled += [(reached, start, "")] * (start > reached) + [(start, stop, label)]
            reached = stop
        filled += [(reached, end, "")] * (reached < end)
        entries = "".join(f'{start!r} {stop!r} "{label}"\n' for start, stop, label in filled)
        text += f'"IntervalTier" "{name}" 0 {end} {len(filled)}\n{entries}'
    path.write_text(text)
    return path


@pytest.fixture
def talk(spoken: Path, tmp_path: Path) -> Path:
    """Two recordings of the demo, one after the other, as two speakers of one file, with their phones."""
    folder = tmp_path / "talk"
    folder.mkdir()
    samples: list[np.ndarray] = []
    tiers: dict[str, list[Segment]] = {}
    for speaker, audio in zip(("ann", "bob"), sorted(spoken.glob("*.flac")), strict=False):
        at = sum(map(len, samples)) / RATE
        labels = [each for each in read_labels(audio.with_suffix(".phn")) if each.symbol != "h#"]
        tiers[f"{speaker} - phones"] = [(at + e.start / RATE, at + e.end / RATE, e.symbol) for e in labels]
        samples.append(soundfile.read(audio, dtype="float32")[0])
    joined = np.concatenate(samples)
    soundfile.write(folder / "talk.wav", joined, RATE)
    write_grid(folder / "talk.TextGrid", tiers, len(joined) / RATE)
    return folder


def test_each_utterance_is_aligned_by_itself_and_written_with_its_speaker(
    tiny_run: Path, talk: Path, tmp_path: Path, asr_command: Command
) -> None:
    outcome = asr_command("align", tiny_run, talk, "-o", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    found = rows(tmp_path / "out", "alignments.jsonl")
    assert len(found) >= 2
    assert [row["utterance"] for row in found] == sorted(row["utterance"] for row in found)
    assert {row["utterance"][:5] + row["utterance"][9:] for row in found} == {"talk--ann", "talk--bob"}
    grid = TextGrid(talk / "talk.TextGrid")
    for speaker in ("ann", "bob"):
        spans = [(row["start"], row["end"]) for row in found if row["speaker"] == speaker]
        labels = [label for label in grid.intervals(f"{speaker} - phones") if label[2]]
        assert (spans[0][0], spans[-1][1]) == (labels[0][0], pytest.approx(labels[-1][1], abs=1e-4))
    parts = utterances_of(Source("talk", talk / "talk.wav"), talk / "talk.TextGrid", "phones")
    table = [f"talk.wav,{each.utterance},{each.start},{each.duration},{each.text}" for each in parts]
    (talk / "list.csv").write_text("\n".join(["path,utterance,start,duration,text", *table]) + "\n")
    assert asr_command("align", tiny_run, talk / "list.csv", "-o", tmp_path / "listed").status == 0
    assert [row["phones"] for row in rows(tmp_path / "listed", "alignments.jsonl")] == [row["phones"] for row in found]
    written = TextGrid(tmp_path / "out" / "recordings" / "talk.TextGrid")
    assert written.interval_tiers == ["ann - phones", "bob - phones"]
    for speaker in ("ann", "bob"):
        expected = [
            (round(row["start"] + phone["start"], 4), phone["phone"])
            for row in found
            if row["speaker"] == speaker
            for phone in row["phones"]
        ]
        tier = written.intervals(f"{speaker} - phones")
        assert [(pytest.approx(start, abs=2e-4), label) for start, _, label in tier if label] == expected
        assert tier[-1][1] == pytest.approx(soundfile.info(talk / "talk.wav").duration, abs=1e-4)
    assert not (tmp_path / "out" / "textgrids").exists()


def test_what_is_done_stays_and_a_changed_utterance_is_done_again(
    tiny_run: Path, talk: Path, tmp_path: Path, asr_command: Command
) -> None:
    (talk / "talk.TextGrid").rename(talk.with_name("talk.TextGrid"))
    command = ("align", tiny_run, talk, "-o", tmp_path / "out", "--transcripts", tmp_path)
    count = len(rows(tmp_path / "out", "alignments.jsonl")) if asr_command(*command).status == 0 else 0
    assert f"0 aligned, {count} already done" in asr_command(*command).err
    path = tmp_path / "talk.TextGrid"
    tiers = {name: TextGrid(path).intervals(name) for name in TextGrid(path).interval_tiers}
    last = max(n for n, segment in enumerate(tiers["bob - phones"]) if segment[2])
    start, end, _ = tiers["bob - phones"][last]
    tiers["bob - phones"][last] = (start, end, "aa")
    write_grid(path, tiers, soundfile.info(talk / "talk.wav").duration)
    assert f"1 aligned, {count - 1} already done" in asr_command(*command).err
    assert rows(tmp_path / "out", "alignments.jsonl")[-1]["said"].endswith(" aa")


def test_utterances_that_a_changed_textgrid_has_no_longer_are_left_out(
    tiny_run: Path, talk: Path, tmp_path: Path, asr_command: Command
) -> None:
    command = ("align", tiny_run, talk, "-o", tmp_path / "out")
    assert asr_command(*command).status == 0
    before = rows(tmp_path / "out", "alignments.jsonl")
    text = (talk / "talk.TextGrid").read_text()
    swapped = text.replace('"ann -', '"?').replace('"bob -', '"ann -').replace('"?', '"bob -')
    (talk / "talk.TextGrid").write_text(swapped)
    assert asr_command(*command).status == 0
    after = rows(tmp_path / "out", "alignments.jsonl")
    assert [row["start"] for row in after] == [row["start"] for row in before]
    assert [row["speaker"] for row in after] == [{"ann": "bob", "bob": "ann"}[row["speaker"]] for row in before]
    grid = TextGrid(tmp_path / "out" / "recordings" / "talk.TextGrid")
    assert grid.interval_tiers == ["bob - phones", "ann - phones"]
    tiers = {"phones": TextGrid(talk / "talk.TextGrid").intervals("ann - phones")}
    write_grid(talk / "talk.TextGrid", tiers, soundfile.info(talk / "talk.wav").duration)
    assert asr_command(*command).status == 0
    assert [row["utterance"] for row in rows(tmp_path / "out", "alignments.jsonl")] == ["talk"]
    assert TextGrid(tmp_path / "out" / "recordings" / "talk.TextGrid").interval_tiers == ["phones"]


def test_words_of_speakers_and_recordings_of_one(
    tiny_run: Path, talk: Path, tmp_path: Path, asr_command: Command
) -> None:
    """As in MFA's input, the tiers are the speakers', and their intervals have what they say."""
    end = soundfile.info(talk / "talk.wav").duration
    said = {"bob": [(0.5, 1.5, "hello world")], "ann": [(0.1, 0.9, "hello"), (end - 1, end - 0.2, "none of these")]}
    write_grid(talk / "talk.TextGrid", said, end)
    soundfile.write(talk / "alone.wav", np.random.default_rng(0).normal(0, 0.1, 2 * RATE), RATE)
    (talk / "alone.txt").write_text("world")
    (tmp_path / "lexicon.txt").write_text("hello hh ah l ow\nworld w er l d\n")
    lexicon = ("--lexicon", tmp_path / "lexicon.txt")
    outcome = asr_command("align", tiny_run, talk, "-o", tmp_path / "out", *lexicon)
    assert outcome.status == 1
    assert "3 aligned, 1 failed" in outcome.err
    assert "1 recording with tiers of speakers (ann, bob): 3 utterances\n" in outcome.err
    (error,) = errors(tmp_path / "out")
    assert error["what"].startswith(f"talk-0003-ann (at {end - 1:.2f} s): not in the lexicon: none, of, these")
    found = {row["utterance"]: row for row in rows(tmp_path / "out", "alignments.jsonl")}
    assert list(found) == ["alone", "talk-0001-ann", "talk-0002-bob"]
    assert "speaker" not in found["alone"]
    grid = TextGrid(tmp_path / "out" / "recordings" / "talk.TextGrid")
    assert grid.interval_tiers == ["ann - words", "ann - phones", "bob - words", "bob - phones"]
    hello, world = (label for label in grid.intervals("bob - words") if label[2])
    assert (hello[2], world[2]) == ("hello", "world")
    assert 0.5 <= hello[0] < hello[1] <= world[0] < world[1] <= 1.5
    written = {
        kind: {path.stem for path in (tmp_path / "out" / kind).iterdir()} for kind in ("recordings", "textgrids")
    }
    assert written == {"recordings": {"alone", "talk"}, "textgrids": set(found)}
    whole, one = (TextGrid(tmp_path / "out" / kind / "alone.TextGrid") for kind in written)
    assert [whole.intervals(tier) for tier in ("words", "phones")] == [
        one.intervals(tier) for tier in ("words", "phones")
    ]


def test_another_recording_of_the_same_name_is_refused_as_a_whole(
    tiny_run: Path, talk: Path, tmp_path: Path, asr_command: Command
) -> None:
    """Whoever speaks in it: the TextGrid of the recording would have the tiers of both."""
    command = ("align", tiny_run, talk, "-o", tmp_path / "out")
    assert asr_command(*command).status == 0
    before = (tmp_path / "out" / "alignments.jsonl").read_bytes()
    shutil.copytree(talk, tmp_path / "second")
    samples, rate = soundfile.read(talk / "talk.wav")
    soundfile.write(tmp_path / "second" / "talk.wav", samples / 2, rate)
    grid = tmp_path / "second" / "talk.TextGrid"
    for text in (grid.read_text(), grid.read_text().replace("ann -", "cat -")):
        grid.write_text(text)
        outcome = asr_command("align", tiny_run, tmp_path / "second", "-o", tmp_path / "out")
        assert f"already has a result of {talk / 'talk.wav'} named talk; choose another folder" in outcome.err
        assert "0 aligned, 1 failed" in outcome.err
        assert (tmp_path / "out" / "alignments.jsonl").read_bytes() == before


@pytest.mark.parametrize("content", [None, b"This is not audio.\n"])
def test_a_recording_that_cannot_be_read_is_one_failure_with_the_number_of_its_utterances(
    tiny_run: Path, talk: Path, tmp_path: Path, asr_command: Command, content: bytes | None
) -> None:
    command = ("align", tiny_run, talk, talk / "talk.wav", "-o", tmp_path / "out")
    assert asr_command(*command).status == 0
    done = (tmp_path / "out" / "alignments.jsonl").read_bytes()
    number = len(done.splitlines())
    known = 0 if content else number  # of a file that is away, all that is known stays
    (talk / "talk.wav").unlink()
    if content:
        (talk / "talk.wav").write_bytes(content)
    outcome = asr_command(*command)
    (line,) = [line for line in outcome.err.splitlines() if line.startswith("asr: ")]
    assert line.startswith(f"asr: {talk / 'talk.wav'}: ")
    assert line.endswith(f" ({number} utterances)")
    assert "0 aligned, 1 failed" in outcome.err
    (error,) = errors(tmp_path / "out")
    assert error["path"] == str(talk / "talk.wav")
    assert error["what"].endswith(f" ({number} utterances)")
    assert error["fix"]
    assert len(rows(tmp_path / "out", "alignments.jsonl")) == known


def test_an_error_of_some_utterances_names_them(
    tiny_run: Path, talk: Path, tmp_path: Path, asr_command: Command
) -> None:
    samples, _ = soundfile.read(talk / "talk.wav", dtype="float32")
    start = next(start for start, _, label in TextGrid(talk / "talk.TextGrid").intervals("bob - phones") if label)
    samples[int(start * RATE) :] = np.nan
    soundfile.write(talk / "talk.wav", samples, RATE, subtype="FLOAT")
    outcome = asr_command("align", tiny_run, talk, "-o", tmp_path / "out")
    assert outcome.status == 1
    assert {row["speaker"] for row in rows(tmp_path / "out", "alignments.jsonl")} == {"ann"}
    (error,) = errors(tmp_path / "out")
    assert error["what"].startswith(f"talk-0002-bob (at {start:.2f} s): has samples that are not audio: nan")


def test_a_recording_that_is_divided_now_was_whole(
    tiny_run: Path, talk: Path, tmp_path: Path, asr_command: Command
) -> None:
    grid = talk / "talk.TextGrid"
    speakers = grid.read_text()
    write_grid(grid, {"phones": TextGrid(grid).intervals("ann - phones")}, soundfile.info(talk / "talk.wav").duration)
    command = ("align", tiny_run, talk, "-o", tmp_path / "out")
    assert asr_command(*command).status == 0
    assert (tmp_path / "out" / "textgrids" / "talk.TextGrid").exists()
    grid.write_text(speakers)
    assert asr_command(*command).status == 0
    assert {row["speaker"] for row in rows(tmp_path / "out", "alignments.jsonl")} == {"ann", "bob"}
    assert not (tmp_path / "out" / "textgrids" / "talk.TextGrid").exists()


def test_an_utterance_with_the_name_of_another_recording_is_refused(tmp_path: Path) -> None:
    write_grid(tmp_path / "talk.TextGrid", {"ann": [(0.1, 0.9, "hello")], "bob": [(1.0, 1.5, "world")]}, 2.0)
    recordings = [Source(name, tmp_path / f"{name}.wav") for name in ("talk", "talk-0002-bob")]
    with pytest.raises(InputError, match=r"talk\.wav: its utterance 'talk-0002-bob' has the name of another; rename"):
        divided(Found(recordings, []), FileTranscripts("words"))


WHOLE = Source("talk", "talk.wav")


def test_words_without_a_long_pause_are_an_utterance(tmp_path: Path) -> None:
    ann = [(1.0, 1.5, "see"), (1.5, 1.6, "sp"), (1.6, 2.0, "it"), (2.0, 2.3, "sil"), (3.0, 3.5, "there")]
    bob = [(2.2, 2.6, "where")]
    path = write_grid(tmp_path / "a.TextGrid", {"ann x - words": ann, "bob - words": bob, "bob - notes": ann}, 4.0)
    found = utterances_of(WHOLE, path, "words")
    assert [(each.utterance, each.speaker, each.text) for each in found] == [
        ("talk-0001-ann_x", "ann x", "see it"),
        ("talk-0002-bob", "bob", "where"),
        ("talk-0003-ann_x", "ann x", "there"),
    ]
    assert [(each.start, each.duration) for each in found] == [(1.0, 1.0), (2.2, pytest.approx(0.4)), (3.0, 0.5)]


def test_pauses_between_phones_may_be_silent(tmp_path: Path) -> None:
    ann = [(1.0, 1.5, "s"), (1.7, 2.0, "t")]
    path = write_grid(tmp_path / "a.TextGrid", {"ann - phones": ann, "bob - phones": [(3.0, 3.2, "aa")]}, 4.0)
    assert [each.text for each in utterances_of(WHOLE, path, "phones")] == ["s <eps> t", "aa"]


@pytest.mark.parametrize(
    ("tiers", "tier"),
    [
        (["words"], "words"),
        (["ann - words"], "words"),
        (["phones", "notes"], "words"),
        (["ann - phones", "bob - phones"], "words"),
        (["ann", "bob"], "phones"),
    ],
)
def test_other_textgrids_are_those_of_a_whole_recording(tmp_path: Path, tiers: list[str], tier: str) -> None:
    path = write_grid(tmp_path / "a.TextGrid", {name: [(1.0, 1.5, "see")] for name in tiers}, 2.0)
    assert utterances_of(WHOLE, path, tier) == [WHOLE]  # type: ignore[arg-type]


def test_a_broken_textgrid_is_left_to_the_one_who_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.TextGrid").write_text("no grid")
    assert utterances_of(WHOLE, tmp_path / "a.TextGrid", "words") == [WHOLE]


def test_a_recording_of_one_speaker_has_plain_tiers_and_starts_survive(tmp_path: Path) -> None:
    phones = [PhoneSegment("s", 0.0, 0.2), PhoneSegment("iy", 0.2, 0.5001)]
    parts = [
        Transcript(
            f"sub/talk-000{n}-ann", phones, "ann", duration=0.5, words=[WordSegment("see", 0.0, 0.5)], start=n / 2
        )
        for n in (1, 2)
    ]
    [path] = writer("speakers").write(tmp_path, iter(parts))
    assert path == tmp_path / "recordings" / "sub" / "talk.TextGrid"
    grid = TextGrid(path)
    assert grid.interval_tiers == ["words", "phones"]
    assert [segment for segment in grid.intervals("phones") if segment[2]] == [
        (0.5, 0.7, "s"),
        (0.7, 1.0001, "iy"),
        (1.0001, 1.2, "s"),
        (1.2, 1.5001, "iy"),
    ]
    [lines] = writer("jsonl").write(tmp_path, iter(parts))
    assert list(read_transcripts(lines)) == parts


def test_utterances_of_a_recording_may_have_others_between_them_and_be_in_any_order(tmp_path: Path) -> None:
    """As in a folder where a command was killed, and others were run before it was resumed."""
    one, two, three = (
        Transcript(f"talk-000{n}-{name}", [PhoneSegment("s", 0.0, 0.2)], name, duration=0.5, start=float(n))
        for n, name in ((1, "ann"), (2, "bob"), (3, "ann"))
    )
    other = Transcript("other", [PhoneSegment("s", 0.0, 0.2)], duration=0.5)
    paths = writer("speakers").write(tmp_path, iter([three, other, two, one]))
    assert [path.name for path in paths] == ["other.TextGrid", "talk.TextGrid"]
    grid = TextGrid(paths[1])
    starts = {name: [start for start, _, label in grid.intervals(name) if label] for name in grid.interval_tiers}
    assert starts == {"ann - phones": [1.0, 3.0], "bob - phones": [2.0]}


def test_one_utterance_of_a_speaker_is_written_by_the_library(tmp_path: Path) -> None:
    one = Transcription("talk-0001-ann", [PhoneSegment("s", 0.0, 0.2)], "ann", duration=0.5, start=1.0)
    one.write(tmp_path / "a.TextGrid", "speakers")
    assert [each for each in TextGrid(tmp_path / "a.TextGrid").intervals("phones") if each[2]] == [(1.0, 1.2, "s")]


def test_two_speakers_of_one_name_are_named_in_the_message(tmp_path: Path) -> None:
    path = write_grid(tmp_path / "talk.TextGrid", {"ann": [(0.0, 1.0, "she had")], "bob": [(1.0, 2.0, "your")]}, 2.0)
    path.write_text(path.read_text().replace('"bob"', '"ann"'))
    with pytest.raises(InputError, match=r"talk\.TextGrid: has 2 tiers of ann \(ann, ann\); keep one, or rename"):
        read_transcript(path, "words", path)
