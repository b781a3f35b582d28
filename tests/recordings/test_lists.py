"""Recordings that lists name: tables, JSON Lines, Lhotse manifests and Kaldi data folders."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import CutSet, Recording, RecordingSet, SupervisionSegment
from lhotse.cut import MonoCut

from asr.audio import read_audio, reading
from asr.audio.opening import open_audio
from asr.errors import InputError
from asr.recordings.sources import Source, find_sources, read_source

RATE = 16000


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A second of two channels: a ramp, and its negative half."""
    ramp = np.linspace(0, 0.9, RATE, dtype=np.float32)
    (tmp_path / "wav").mkdir()
    soundfile.write(tmp_path / "wav" / "a.wav", np.stack([ramp, -ramp / 2], axis=1), RATE, subtype="FLOAT")
    return tmp_path / "wav" / "a.wav"


def sources(given: Path) -> list[Source]:
    return find_sources([given]).sources


def samples(source: Source) -> np.ndarray:
    return np.concatenate(list(read_source(source, RATE)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "file,id,start,end,channel,text\nwav/a.wav,one,0.25,0.75,1,she had\n\n"),
        ("x.csv", "\ufeffPath;Utterance;Offset;Duration;Channel;Transcript\nwav/a.wav;one;0,25;0,5;1;she had\n"),
        ("x.tsv", "utt\taudio\tstart\tduration\tchannel\tsentence\r\none\twav/a.wav\t0.25\t0.5\t1\tshe had\r\n"),
        (
            "x.jsonl",
            '\n{"audio_filepath": "wav/a.wav", "id": "one", "offset": 0.25, "duration": 0.5, "channel": 1, '
            '"text": "she had"}\n',
        ),
    ],
)
def test_tables_and_json_lines(audio: Path, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    [source] = sources(tmp_path / name)
    assert source == Source("one", audio, 0.25, 0.5, 1, "she had")
    expected = read_audio(audio, RATE, channel=1)[RATE // 4 : 3 * RATE // 4]
    np.testing.assert_array_equal(samples(source), expected)


def test_a_duration_without_a_start_is_that_of_the_file(audio: Path, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"audio_filepath": "wav/a.wav", "duration": 1.01, "text": "she"}\n')
    assert sources(tmp_path / "x.jsonl") == [Source("wav/a", audio, text="she")]


def test_parts_without_names_are_named_by_their_times(audio: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("path,start,end\nwav/a.wav,0,0.5\nwav/a.wav,0.5,\nwav/a.wav,0,0.5\n")
    assert [source.utterance for source in sources(tmp_path / "x.csv")] == [
        "wav/a-0.000-0.500",
        "wav/a-0.500-end",
    ]


def test_lhotse_cuts_and_recordings(audio: Path, tmp_path: Path) -> None:
    recording = Recording.from_file(audio, recording_id="rec")
    said = SupervisionSegment("s", "rec", 0.0, 0.5, text="she had")
    cuts = [
        MonoCut("one", 0.25, 0.5, 1, supervisions=[said], recording=recording),
        MonoCut("two", 0.0, 1.0, 0, recording=recording),
    ]
    CutSet.from_cuts(cuts).to_file(tmp_path / "cuts.jsonl.gz")
    RecordingSet.from_recordings([recording]).to_file(tmp_path / "recordings.jsonl")
    assert sources(tmp_path / "cuts.jsonl.gz") == [
        Source("one", audio, 0.25, 0.5, 1, "she had"),
        Source("two", audio, channel=0),
    ]
    np.testing.assert_array_equal(
        samples(sources(tmp_path / "cuts.jsonl.gz")[0]), cuts[0].load_audio()[0].astype(np.float32)
    )
    assert sources(tmp_path / "recordings.jsonl") == [Source("rec", audio)]


def test_kaldi_folders(audio: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "wav.scp").write_text(f"rec {audio}\n")
    assert sources(tmp_path / "data") == [Source("rec", audio)]
    (tmp_path / "data" / "segments").write_text("one rec 0.25 0.75\ntwo rec 0.5 -1\n")
    (tmp_path / "data" / "text").write_text("one she had\n")
    expected = [Source("one", audio, 0.25, 0.5, text="she had"), Source("two", audio, 0.5)]
    assert sources(tmp_path / "data") == expected
    assert sources(tmp_path / "data" / "wav.scp") == expected


def test_a_part_may_end_a_little_after_its_file(audio: Path) -> None:
    assert len(samples(Source("one", audio, 0.5, 0.51))) == RATE // 2
    assert len(samples(Source("one", audio, 0.5))) == RATE // 2
    for start, duration in ((0.5, 1.5), (1.0, 0.1), (2.0, None)):
        with pytest.raises(InputError, match=r"but the file has 1 s; correct these times in the list or TextGrid"):
            samples(Source("one", audio, start, duration))


CUT = {"id": "x", "start": 0, "duration": 1, "channel": 0, "recording": {"duration": 1, "sources": []}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "x.csv",
            "name,text\na.wav,b\n",
            r"x\.csv:1: has no column of audio files: the first line needs one of path, audio",
        ),
        ("x.csv", "path,start\na.wav,soon\n", r"x\.csv:2: start 'soon' is not a number of seconds"),
        ("x.csv", "path,start,end\na.wav,2,1\n", r"x\.csv:2: its part of -1 s is empty"),
        ("x.csv", "path,channel\na.wav,left\n", r"x\.csv:2: channel 'left' is not a number"),
        ("x.csv", "path,id\na.wav,x\nb.wav,x\n", r"x\.csv:3: utterance 'x' is already on an earlier line"),
        ("x.jsonl", '{"path": "a.wav"}\n[]\n', r"x\.jsonl:2: expected a JSON object"),
        ("x.jsonl", '{"path": "a.wav"}\n{"pa\n', r"x\.jsonl:2: not valid JSON"),
        ("x.jsonl", json.dumps({"id": "x", "tracks": []}), r"x\.jsonl:1: a mixed cut"),
        ("x.jsonl", json.dumps(CUT), r"x\.jsonl:1: not a single file without transforms"),
        (
            "x.jsonl",
            json.dumps({"id": "x", "sources": [{"type": "command", "channels": [0], "source": "rm -rf ."}]}),
            r"x\.jsonl:1: its audio is a command, which is not run or fetched; save it first",
        ),
        ("wav.scp", "x sph2pipe -f au a.sph |\n", r"wav\.scp:1: 'sph2pipe .* is a command, which is not run; save"),
        ("wav.scp", "x data.ark:10\n", r"wav\.scp:1: 'data.ark:10' is a place in an archive; name audio files"),
    ],
)
def test_a_broken_list_is_named_with_its_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        find_sources([tmp_path / name])


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ("one other 0 1\n", r"segments:1: expected a recording of wav.scp, start and end, not 'other 0 1'"),
        ("one rec 0 1\ntwo rec 1 1\n", r"segments:2: its end 1 s is not after its start 1 s"),
    ],
)
def test_broken_segments(tmp_path: Path, segments: str, message: str) -> None:
    (tmp_path / "wav.scp").write_text("rec a.wav\n")
    (tmp_path / "segments").write_text(segments)
    with pytest.raises(InputError, match=message):
        find_sources([tmp_path])


def test_a_list_that_is_cut_short(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(b'{"path": "a.wav"}\n' * 100)[:-10])
    with pytest.raises(InputError, match=r"x\.jsonl\.gz: cannot read: not a complete \.gz file"):
        find_sources([tmp_path / "x.jsonl.gz"])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_tables_in_the_encodings_of_spreadsheets(audio: Path, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "x.csv").write_bytes('file;id;text\r\nwav/a.wav;é;"a ""b"""\r\n'.encode(encoding))
    assert sources(tmp_path / "x.csv") == [Source("é", audio, text='a "b"')]


def test_channels_and_parts_of_a_file_get_names_of_their_own(audio: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("path,channel\nwav/a.wav,0\nwav/a.wav,1\n")
    assert [source.utterance for source in sources(tmp_path / "x.csv")] == ["wav/a-channel0", "wav/a-channel1"]
    for channel in (0, 1):
        (tmp_path / f"{channel}.csv").write_text(f"path,id,channel\nwav/a.wav,one,{channel}\n")
    both = find_sources([tmp_path / "0.csv", tmp_path / "1.csv"]).sources
    assert [source.utterance for source in both] == [f"{str(audio)[1:]}-one-channel{channel}" for channel in (0, 1)]


def test_a_transcript_is_not_lost_where_a_file_is_given_twice(
    audio: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "x.csv").write_text("path,text\nwav/a.wav,she had\nwav/a.wav,she had\n")
    assert find_sources([audio, tmp_path / "x.csv"]).sources == [Source("a", audio, text="she had")]
    assert not caplog.messages
    (tmp_path / "x.csv").write_text("path,text\nwav/a.wav,she had\nwav/a.wav,your\n")
    assert [source.text for source in sources(tmp_path / "x.csv")] == ["she had"]
    assert caplog.messages == [f"more than one transcript, of which the first is used: {audio}"]


def test_the_length_of_a_file_is_found_once_for_all_its_parts(audio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(reading, "open_audio", lambda path: opened.append(path) or open_audio(path))
    for start in (0.0, 0.25, 0.5):
        assert len(samples(Source("one", audio, start, 0.25))) == RATE // 4
    assert len(opened) == 1 + 3  # and once for the samples of each
    soundfile.write(audio, np.zeros(RATE // 2), RATE)
    with pytest.raises(InputError, match=r"the file has 0\.5 s"):
        samples(Source("one", audio, 0.5, 0.25))
