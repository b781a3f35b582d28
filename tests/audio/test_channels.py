"""Several channels: mixed, or one alone where they cancel or one is asked for."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.corpora.audio_files import RATE, tone

from asr.audio import audio_info, read_audio, read_blocks
from asr.errors import InputError

CANCEL = "its channels cancel each other; channel 1 (from 0) is read alone"


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).normal(size=round(seconds * RATE))).astype(np.float32)


def stereo(path: Path, left: np.ndarray, right: np.ndarray) -> Path:
    soundfile.write(path, np.stack([left, right], axis=1), RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("gain", [0.95, 0.7])
def test_where_channels_cancel_the_louder_is_read(
    gain: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sound = speech(1.0)
    path = stereo(tmp_path / "a.wav", -gain * sound, sound + 1e-4 * speech(1.0, seed=1))
    assert np.allclose(read_audio(path, RATE), sound, atol=1e-4)
    assert caplog.messages == [f"{path}: {CANCEL}"]


@pytest.mark.parametrize(("left", "right"), [(1.0, 0.0), (1.0, 1.0), (1.0, -0.5), (0.0, 0.0)])
def test_other_channels_are_averaged(
    left: float, right: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = stereo(tmp_path / "a.wav", left * tone(), right * tone())
    assert np.allclose(read_audio(path, RATE), (left + right) / 2 * tone(), atol=1e-6)
    assert caplog.messages == []


def test_two_speakers_on_two_channels_are_averaged(tmp_path: Path) -> None:
    path = stereo(tmp_path / "a.wav", speech(1.0, 1), speech(1.0, 2))
    assert np.allclose(read_audio(path, RATE), (speech(1.0, 1) + speech(1.0, 2)) / 2, atol=1e-6)


def test_channels_that_cancel_late_stay_with_one(tmp_path: Path) -> None:
    silence, sound = np.zeros(15 * RATE, np.float32), speech(20.0)
    path = stereo(tmp_path / "a.wav", np.append(silence, -sound), np.append(silence, sound))
    read = read_audio(path, RATE)
    assert np.array_equal(np.abs(read[15 * RATE :]), np.abs(sound))
    assert np.array_equal(np.concatenate(list(read_blocks(path, RATE, 7.0))), read)


@pytest.mark.parametrize("channel", [0, 1])
def test_a_channel_alone(channel: int, tmp_path: Path) -> None:
    path = stereo(tmp_path / "a.wav", speech(0.5, 0), speech(0.5, 1))
    assert np.array_equal(read_audio(path, RATE, channel=channel), speech(0.5, channel))
    assert np.array_equal(next(read_blocks(path, RATE, channel=channel)), speech(0.5, channel))
    assert audio_info(path).channels == 2


@pytest.mark.parametrize("channel", [-1, 2])
def test_a_channel_that_is_not_there(channel: int, tmp_path: Path) -> None:
    path = stereo(tmp_path / "a.wav", tone(), tone())
    with pytest.raises(InputError, match=rf"a\.wav: has 2 channels, but channel {channel} \(from 0\) was requested"):
        read_audio(path, RATE, channel=channel)


@pytest.mark.corpora
def test_a_file_that_was_silence_once(corpora: Path) -> None:
    folder = corpora.parent / "cases" / "11-inverted-stereo" / "in"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    assert np.array_equal(read_audio(folder / "inverted.wav", RATE), read_audio(folder / "mono.wav", RATE))
