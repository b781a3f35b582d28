"""Transcripts from a list, from files and from the command line."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr import progress
from asr.errors import InputError
from asr.formats.textgrid import write_textgrid
from asr.formats.transcript import PhoneSegment, Transcript, WordSegment
from asr.recordings.sources import Found, Source
from asr.recordings.transcripts import FileTranscripts, GivenText, Tier, divided, find_transcripts


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "audio").mkdir()
    return Source("sa1", tmp_path / "audio" / "sa1.wav")


@pytest.mark.parametrize(
    ("tier", "suffix", "text", "expected"),
    [
        ("phones", ".phn", "0 100 h#\n100 200 SH\n", "h# SH"),
        ("phones", ".phn", "0 1000 h#\n1100 2000 sh\n", "h# <eps> sh"),
        ("phones", ".lab", "0 1000000 h#\n2000000 3000000 sh\n", "h# <eps> sh"),
        ("phones", ".PHN", "0 100 h#\n", "h#"),
        ("phones", ".lab", "h# sh\niy\n", "h# sh iy"),
        ("words", ".wrd", "0 100 she\n100 200 had\n", "she had"),
        ("words", ".lab", "She had", "She had"),
        ("words", ".txt", "0 46797 She had your dark suit.\n", "She had your dark suit."),
        ("words", ".lab", "0 46797 She had", "0 46797 She had"),
        ("words", ".lab", "7 11 she had", "7 11 she had"),
        ("words", ".txt", "7 11 she had", "7 11 she had"),
        ("words", ".txt", "\ufeffShe had", "She had"),
    ],
)
def test_files_beside_the_audio(source: Source, tier: Tier, suffix: str, text: str, expected: str) -> None:
    soundfile.write(source.path, np.zeros(46797, np.float32), 16000)
    source.path.with_suffix(suffix).write_text(text, encoding="utf-8")
    assert find_transcripts(None, tier).of(source) == expected


def test_textgrids(source: Source) -> None:
    transcript = Transcript("sa1", [PhoneSegment("h#", 0.0, 0.1), PhoneSegment("sh", 0.2, 0.3)], duration=0.4)
    path = source.path.with_suffix(".TextGrid")
    write_textgrid(path, replace(transcript, words=[WordSegment("she", 0.2, 0.3)]))
    assert FileTranscripts("phones").of(source) == "h# <eps> sh"
    assert FileTranscripts("words").of(source) == "she"
    write_textgrid(path, transcript)
    with pytest.raises(InputError, match="no interval tier 'words'; it has phones"):
        FileTranscripts("words").of(source)
    source.path.with_suffix(".lab").write_text("she had")
    assert FileTranscripts("words").of(source) == "she had"
    write_textgrid(path, replace(transcript, words=[WordSegment("he", 0.2, 0.3)]))
    assert FileTranscripts("words").of(source) == "he"
    path.write_text("no TextGrid")
    with pytest.raises(InputError, match=r"sa1\.TextGrid: not a Praat TextGrid"):
        FileTranscripts("words").of(source)


def test_files_in_another_folder_stand_at_the_same_place(tmp_path: Path) -> None:
    source = Source("dr1/sa1", tmp_path / "audio" / "dr1" / "sa1.wav")
    (tmp_path / "texts" / "dr1").mkdir(parents=True)
    (tmp_path / "texts" / "dr1" / "sa1.lab").write_text("aa b")
    assert find_transcripts(tmp_path / "texts", "phones").of(source) == "aa b"
    with pytest.raises(InputError, match=r"sa1\.wav: has no transcript: no sa1\.TextGrid"):
        find_transcripts(None, "phones").of(source)


def test_a_list_is_looked_up_by_the_audio_or_the_name(tmp_path: Path, source: Source) -> None:
    listed = tmp_path / "list.jsonl"
    listed.write_text('{"utterance": "sa1", "text": "by name"}\n')
    assert find_transcripts(listed, "words").of(source) == "by name"
    listed.write_text(f'{{"utterance": "fvmh0-sa1", "audio": "{source.path}", "phones": [{{"phone": "aa"}}, "b"]}}\n')
    assert find_transcripts(listed, "phones").of(source) == "aa b"
    with pytest.raises(InputError, match="has no transcript of other"):
        find_transcripts(listed, "phones").of(Source("other", tmp_path / "other.wav"))


@pytest.mark.parametrize("row", ['{"utterance": "sa1"}', '{"text": "a"}', '{"utterance": "sa1", "phones": [{"x": 1}]}'])
def test_a_line_without_a_transcript_is_named(tmp_path: Path, row: str) -> None:
    (tmp_path / "list.jsonl").write_text('{"utterance": "first", "text": "aa"}\n' + row + "\n")
    with pytest.raises(InputError, match=r"list\.jsonl:2: not a transcript"):
        find_transcripts(tmp_path / "list.jsonl", "phones")


def test_blank_lines_and_a_byte_order_mark_change_nothing_but_the_line_numbers(tmp_path: Path, source: Source) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text('\n{"utterance": "sa1", "text": "aa"}\n\n', encoding="utf-8-sig")
    assert find_transcripts(path, "words").of(source) == "aa"
    path.write_text('{"utterance": "sa1", "text": "aa"}\n\n{"utterance": "x"}\n')
    with pytest.raises(InputError, match=r"list\.jsonl:3: not a transcript"):
        find_transcripts(path, "words")


def test_two_transcripts_of_one_utterance_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "said.jsonl"
    path.write_text('{"utterance": "x", "text": "when"}\n{"utterance": "x", "text": "an"}\n')
    with pytest.raises(InputError, match=r"said\.jsonl:2: x has another transcript on an earlier line"):
        find_transcripts(path, "words")


def test_given_text_is_of_any_file(source: Source) -> None:
    assert GivenText("she had").of(source) == "she had"


def test_a_list_of_recordings_has_its_own_text(source: Source, tmp_path: Path) -> None:
    source.path.with_suffix(".txt").write_text("from the file")
    assert find_transcripts(None, "words").of(replace(source, text="from the list")) == "from the list"
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "sa1.txt").write_text("from the folder")
    assert find_transcripts(tmp_path / "texts", "words").of(replace(source, text="x")) == "from the folder"


def test_a_part_of_a_file_has_a_transcript_of_its_own_name(source: Source) -> None:
    source.path.with_suffix(".txt").write_text("of the whole file")
    source.path.with_name("one.txt").write_text("of the part")
    part = replace(source, utterance="one", start=1.0, duration=2.0)
    assert find_transcripts(None, "words").of(part) == "of the part"


def test_reading_many_transcripts_shows_progress(
    source: Source, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LOG_LINES", 0.0)
    caplog.set_level("INFO")
    divided(Found([source, replace(source, utterance="sa2")], []), FileTranscripts("words"))
    assert caplog.messages == ["transcripts: 0 of 2", "transcripts: 1 of 2"]
