"""Figures for papers: their formats and sizes, the same bytes every time, and clear errors."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.corpora.recorded import Recorded
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, WordSegment, write_transcripts
from asr.report.plotting.paper import inches
from asr.report.plotting.results import plot_confusions, plot_curves
from asr.report.plotting.sources import spoken
from asr.report.plotting.speech import Label, Tier, plot_speech
from asr.storage import json_files
from asr.storage.text import read_lines

pytest.importorskip("matplotlib")


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.sin(np.arange(16000) / 5).astype(np.float32), 16000)
    return path


TIERS = [Tier("words", [Label("cat", 0.1, 0.7)]), Tier("hyp.", [Label("k", 0.1, 0.3), Label("ə", 0.3, 0.7, "S")])]


@pytest.mark.parametrize(("end", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_each_format_has_the_same_bytes_every_time(run_with_folds: Path, audio: Path, end: str, head: bytes) -> None:
    for draw in (
        lambda path: plot_curves([run_with_folds], path, "85mm"),
        lambda path: plot_confusions(run_with_folds, path, "85mm"),
        lambda path: plot_speech(Recorded(str(audio)), TIERS, path, "85mm"),
    ):
        paths = [audio.with_name(f"{number}.{end}") for number in range(2)]
        for path in paths:
            draw(path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
        assert paths[0].read_bytes().startswith(head)
        assert b"CreationDate" not in paths[0].read_bytes()


def test_a_part_of_a_channel_is_drawn_alone(audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, rate = soundfile.read(audio, dtype="int16")
    soundfile.write(tmp_path / "both.wav", np.stack([samples[::-1] // 2, samples], axis=1), rate)
    soundfile.write(tmp_path / "alone.wav", samples[rate // 4 : rate // 2], rate)
    line = Transcript("u", [PhoneSegment("k", 0.1, 0.2)], audio=str(tmp_path / "both.wav")).to_json()
    (tmp_path / "a.jsonl").write_text(json.dumps(line | {"start": 0.25, "end": 0.5, "channel": 1}) + "\n")
    read: list[Path] = []
    monkeypatch.setattr(json_files, "read_lines", lambda path: read.append(path) or read_lines(path))
    recorded, _ = spoken(tmp_path / "a.jsonl", None)
    assert read == [tmp_path / "a.jsonl"]
    assert recorded == Recorded(str(tmp_path / "both.wav"), 0.25, 0.25, 1)
    plot_speech(recorded, [], tmp_path / "a.png", "85mm")
    plot_speech(Recorded(str(tmp_path / "alone.wav")), [], tmp_path / "b.png", "85mm")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    plot_speech(recorded, [], tmp_path / "a.png", "85mm", 0.1, 0.2)
    plot_speech(Recorded(str(tmp_path / "alone.wav")), [], tmp_path / "b.png", "85mm", 0.1, 0.2)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(("width", "pixels"), [("85mm", 1004), ("2in", 600), ("144pt", 600)])
def test_the_width_is_what_was_asked_for(run_without_folds: Path, tmp_path: Path, width: str, pixels: int) -> None:
    plot_confusions(run_without_folds, tmp_path / "m.png", width)
    (found,) = struct.unpack(">I", (tmp_path / "m.png").read_bytes()[16:20])
    assert abs(found - pixels) <= 1


def test_figures_have_no_colour(run_with_folds: Path, tmp_path: Path) -> None:
    from matplotlib.image import imread

    plot_curves([run_with_folds], tmp_path / "c.png", "85mm")
    red, green, blue = np.moveaxis(imread(tmp_path / "c.png")[:, :, :3], 2, 0)
    assert (red == green).all()
    assert (green == blue).all()
    assert red.min() < 0.1


def test_a_part_of_a_recording(audio: Path, tmp_path: Path) -> None:
    plot_speech(Recorded(str(audio)), TIERS, tmp_path / "part.png", "85mm", 0.25, 0.75)
    plot_speech(Recorded(str(audio)), TIERS, tmp_path / "whole.png", "85mm")
    assert (tmp_path / "part.png").read_bytes() != (tmp_path / "whole.png").read_bytes()
    with pytest.raises(InputError, match="the end must come after the start"):
        plot_speech(Recorded(str(audio)), TIERS, tmp_path / "part.png", "85mm", 0.5, 0.5)


@pytest.mark.parametrize("width", ["85", "wide", "85km", "0.1in", "nanmm", ""])
def test_a_width_that_is_none_is_one_line(width: str) -> None:
    with pytest.raises(InputError, match="--width"):
        inches(width)


def test_another_ending_is_one_line(audio: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.png, \.svg, \.pdf"):
        plot_speech(Recorded(str(audio)), [], tmp_path / "a.gif", "85mm")


def test_tiers_of_an_alignment(audio: Path, tmp_path: Path) -> None:
    phones = [PhoneSegment("k", 0.1, 0.3), PhoneSegment("ae", 0.3, 0.7)]
    aligned = Transcript("u", phones, audio=str(audio), words=[WordSegment("cat", 0.1, 0.7)], intervals=[(0.28, 0.33)])
    write_transcripts(tmp_path / "a.jsonl", [aligned, Transcript("v", phones)])
    with pytest.raises(InputError, match="has 2 utterances; choose one with --utterance"):
        spoken(tmp_path / "a.jsonl", None)
    recorded, (words, phone_tier) = spoken(tmp_path / "a.jsonl", "u")
    assert recorded is not None
    assert recorded.path == str(audio)
    assert words.labels == [Label("cat", 0.1, 0.7)]
    assert phone_tier.intervals == [(0.28, 0.33)]
    assert spoken(tmp_path / "a.jsonl", "v")[0] is None
    with pytest.raises(InputError, match="has no utterance w"):
        spoken(tmp_path / "a.jsonl", "w")
