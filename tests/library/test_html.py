"""A transcript in a notebook."""

import base64
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.formats.transcript import PhoneSegment, WordSegment
from asr.library.spectrogram import BANDS, spectrogram
from asr.library.transcription import Transcription

PHONES = [PhoneSegment("a<b", 0.0, 0.5, 0.9), PhoneSegment("&", 0.5, 1.0, 0.1)]


def tone(seconds: float = 1.0, frequency: float = 1000.0, rate: int = 16000) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)


def test_shows_the_spectrogram_and_the_phones(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), 16000)
    html = Transcription("<i>", PHONES, audio=str(tmp_path / "a.wav"), duration=1.0)._repr_html_()
    assert "<b>&lt;i&gt;</b>" in html
    assert "a&lt;b" in html
    assert "&amp;" in html
    assert "a<b" not in html
    assert len(html) < 100_000
    png = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", html)[1])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
    data = png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8]
    assert len(zlib.decompress(data)) == height * (width + 1)


def test_without_the_audio_the_phones_are_left(tmp_path: Path) -> None:
    html = Transcription("x", PHONES, audio=str(tmp_path / "gone.wav"), duration=1.0).to_html()
    assert "image" not in html
    assert "a&lt;b" in html


def test_phones_without_times_are_text() -> None:
    assert Transcription("x", [PhoneSegment("a")]).to_html() == "<p><b>x</b>: a</p>"


def test_a_long_recording_is_cut(tmp_path: Path) -> None:
    phones = [PhoneSegment("p", float(second), second + 1.0) for second in range(100)]
    words = [WordSegment("w", 0.0, 100.0)]
    html = Transcription("x", phones, duration=100.0, words=words).to_html()
    assert html.count(">p<") == 30
    assert "the first 30 s" in html


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_tone_is_dark_where_it_sounds(rate: int) -> None:
    picture = spectrogram(tone(rate=rate), rate)
    highest = min(8000, rate / 2)
    assert picture.shape[0] == BANDS
    row = int(picture.mean(axis=1).argmin())
    assert abs((BANDS - 1 - row) / BANDS * highest - 1000) <= highest / BANDS
    assert spectrogram(tone(0.001), 16000).shape == (BANDS, 0)
