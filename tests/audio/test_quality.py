"""Warnings about recordings: problems are reported, and good speech has none."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from support.corpora.audio_files import RATE

from asr.audio import read_audio, read_blocks
from asr.audio.quality import Quality


def speech(seconds: float = 6.0, rate: int = RATE) -> np.ndarray:
    """Like speech in its levels and bands: bursts of noise with a falling spectrum, and pauses; samples [S]."""
    random = np.random.default_rng(0)
    count = round(seconds * rate)
    spectrum = np.fft.rfft(random.normal(size=count))
    spectrum /= 1 + np.fft.rfftfreq(count, 1 / rate) / 500
    sound = np.fft.irfft(spectrum, count)
    loudness = np.repeat(random.choice([0.001, 0.3, 1.0], size=count // (rate // 10) + 1), rate // 10)[:count]
    sound *= loudness
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def warnings_of(samples: np.ndarray, rate: int) -> list[str]:
    quality = Quality(rate, rate)
    quality.add_block(samples[:, None])
    quality.add_samples(samples)
    return quality.warnings()


def rounded(samples: np.ndarray) -> np.ndarray:
    """As 16-bit files hold them."""
    return (np.round(np.clip(samples, -1, 1 - 2**-15) * 2**15) / 2**15).astype(np.float32)


def band_limited(samples: np.ndarray, rate: int) -> np.ndarray:
    return soxr.resample(soxr.resample(samples, RATE, rate), rate, RATE)[: len(samples)]


NOISE = np.random.default_rng(1).normal(size=6 * RATE).astype(np.float32)
LEVEL = float(np.std(speech()))
CASES = {
    "zeros": (np.zeros(RATE), "all its samples are zero"),
    "clipped": (4 * speech(), "of its samples are clipped"),
    "8 kHz": (band_limited(speech(), 8000), "has no sound above 4.0 kHz; the model expects up to 8 kHz"),
    "quiet": (speech() / 1000, "is very quiet: its loudest parts are at -78 dB"),
    "noisy": (speech() + 0.6 * LEVEL * NOISE, "is noisy: its loudest parts are only"),
    "noise alone": (0.1 * NOISE, "is noisy: its loudest parts are only"),
    "range of integers": (np.float32(2**17) * speech(), "its samples reach 6.55e+04, where full scale is 1"),
    "offset": (speech() + 0.2, "its mean is 0.2, not 0"),
}


@pytest.mark.parametrize("case", CASES)
def test_problems_are_reported(case: str) -> None:
    samples, expected = CASES[case]
    [warning] = warnings_of(samples if case == "range of integers" else rounded(samples), RATE)
    assert expected in warning


@pytest.mark.parametrize("gain", [1.0, 0.03])
@pytest.mark.parametrize("silence", [0.0, 3.0])
def test_good_speech_has_no_warnings(gain: float, silence: float) -> None:
    pad = np.zeros(round(silence * RATE), np.float32)
    assert warnings_of(rounded(np.concatenate([pad, gain * speech(), pad])), RATE) == []


@pytest.mark.parametrize("samples", [1, 100, 511, 512, RATE // 2])
def test_very_short_recordings_are_not_judged(samples: int) -> None:
    assert warnings_of(rounded(0.1 + 0.01 * NOISE[:samples]), RATE) == []


def test_a_file_of_a_lower_rate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", speech(rate=8000), 8000)
    warnings: list[str] = []
    read_audio(tmp_path / "a.wav", RATE, warnings=warnings)
    assert warnings == ["its sample rate of 8000 Hz is below the model's 16000 Hz"]
    assert warnings_of(speech(rate=8000), 8000) == []


def test_clipping_of_one_channel_at_a_higher_rate(tmp_path: Path) -> None:
    left = speech(rate=44100)
    soundfile.write(tmp_path / "a.wav", np.stack([left, np.clip(8 * left, -1, 1)], axis=1), 44100)
    found: list[list[str]] = [[], [], []]
    read_audio(tmp_path / "a.wav", RATE, warnings=found[0])
    read_audio(tmp_path / "a.wav", RATE, channel=0, warnings=found[1])
    assert sum(map(len, read_blocks(tmp_path / "a.wav", RATE, 1.0, warnings=found[2]))) == 6 * RATE
    assert "clipped" in found[0][0]
    assert found[1] == []
    assert found[2] == found[0]


@pytest.mark.corpora
def test_real_speech_has_no_warnings(timit_sample: Path) -> None:
    for path in sorted(timit_sample.glob("*/*.wav"))[::4]:
        warnings: list[str] = []
        read_audio(path, RATE, warnings=warnings)
        assert warnings == [], path


@pytest.mark.corpora
def test_telephone_speech_is_reported(timit_sample: Path) -> None:
    for path in sorted(timit_sample.glob("*/*.wav"))[::16]:
        [warning] = warnings_of(rounded(band_limited(read_audio(path, RATE), 8000)), RATE)
        assert "the model expects up to 8 kHz" in warning
