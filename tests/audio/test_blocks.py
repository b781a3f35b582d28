"""Reading in blocks, and what the length of a file is."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpora.audio_files import RATE, tone

from asr.audio import audio_info, read_audio, read_blocks, reading
from asr.errors import InputError


@settings(max_examples=25, deadline=None)
@given(
    rate=st.sampled_from([8000, 16000, 22050, 44100, 48000]),
    seconds=st.floats(0.01, 25.0),
    block=st.floats(0.05, 30.0),
    channels=st.integers(1, 2),
)
def test_blocks_are_the_whole(rate: int, seconds: float, block: float, channels: int) -> None:
    samples = 0.1 * np.random.default_rng(0).normal(size=(round(rate * seconds), channels))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.wav"
        soundfile.write(path, samples, rate)
        whole, blocks = read_audio(path, RATE), list(read_blocks(path, RATE, block))
    assert np.array_equal(np.concatenate(blocks), whole)
    assert {len(each) for each in blocks[:-1]} <= {round(block * RATE)}
    assert 0 < len(blocks[-1]) <= round(block * RATE)


def test_a_truncated_file_fails_at_its_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", tone(seconds=30.0), RATE)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(whole[: len(whole) * 9 // 10])
    blocks = read_blocks(tmp_path / "a.flac", RATE, 10.0)
    assert np.abs(next(blocks) - tone(seconds=10.0)).max() < 1e-3
    with pytest.raises(InputError, match=r"a\.flac: (is truncated|broken)"):
        list(blocks)


def test_what_does_not_fit_in_memory_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros(3 * RATE), RATE)
    monkeypatch.setattr(reading, "LONGEST", 2.5)
    with pytest.raises(InputError, match=r"a\.flac: .* longer than .* split it into parts"):
        read_audio(tmp_path / "a.flac", RATE)
    assert len(read_audio(tmp_path / "a.flac", RATE, 0.5, 2.0)) == 2 * RATE
    assert sum(map(len, read_blocks(tmp_path / "a.flac", RATE))) == 3 * RATE
    head = bytearray((tmp_path / "a.flac").read_bytes())
    head[21] &= 0xF0
    head[22:26] = bytes(4)  # the length is unknown
    (tmp_path / "a.flac").write_bytes(head)
    with pytest.raises(InputError, match=r"a\.flac: .* longer than .* split it into parts"):
        read_audio(tmp_path / "a.flac", RATE)


def test_chained_ogg_is_read_to_its_end(tmp_path: Path) -> None:
    chain, expected = b"", []
    for seconds, frequency in ((1.0, 300.0), (0.5, 500.0), (12.0, 700.0)):
        soundfile.write(tmp_path / "a.ogg", tone(seconds=seconds, frequency=frequency), RATE)
        chain += (tmp_path / "a.ogg").read_bytes()
        expected.append(read_audio(tmp_path / "a.ogg", RATE))
    (tmp_path / "chain.ogg").write_bytes(chain)
    whole = np.concatenate(expected)
    assert audio_info(tmp_path / "chain.ogg").samples == len(whole) == 13.5 * RATE
    assert np.array_equal(read_audio(tmp_path / "chain.ogg", RATE), whole)
    part = read_audio(tmp_path / "chain.ogg", RATE, 0.75, 1.0)
    assert np.abs(part - whole[12000:28000]).max() < 1e-3
    (tmp_path / "chain.ogg").write_bytes(chain[:-100])
    with pytest.raises(InputError, match=r"chain\.ogg: is truncated"):
        read_audio(tmp_path / "chain.ogg", RATE)


def test_chained_ogg_of_two_rates_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.ogg", tone(), RATE)
    soundfile.write(tmp_path / "b.ogg", tone(8000), 8000)
    (tmp_path / "chain.ogg").write_bytes((tmp_path / "a.ogg").read_bytes() + (tmp_path / "b.ogg").read_bytes())
    with pytest.raises(InputError, match=r"chain\.ogg: changes its sample rate or channels in the middle"):
        read_audio(tmp_path / "chain.ogg", RATE)


def test_chained_ogg_of_very_many_recordings_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.ogg", tone(seconds=0.01), RATE)
    (tmp_path / "chain.ogg").write_bytes((tmp_path / "a.ogg").read_bytes() * 1001)
    with pytest.raises(InputError, match=r"chain\.ogg: holds 1001 recordings one after the other .*; split it"):
        audio_info(tmp_path / "chain.ogg")


@pytest.mark.parametrize("order", [1, -1])
def test_mp3_that_does_not_say_its_length_is_read_to_its_end(tmp_path: Path, order: int) -> None:
    # Silence and noise at a variable bit rate: a guess from the first frames is too long or (-1) too short.
    sound = np.append(np.zeros(4 * RATE), 0.3 * np.random.default_rng(0).normal(size=4 * RATE))[::order]
    soundfile.write(tmp_path / "a.mp3", sound, RATE, bitrate_mode="VARIABLE", compression_level=0.5)
    content = (tmp_path / "a.mp3").read_bytes()
    second = content.index(content[:2], 4)
    assert b"Xing" in content[:second]
    (tmp_path / "b.mp3").write_bytes(content[second:])
    flags = content.index(b"Xing") + 4
    (tmp_path / "no frames.mp3").write_bytes(content[:flags] + b"\0\0\0\x08" + content[flags + 4 :])
    [said, found, flagged] = [audio_info(tmp_path / name).samples for name in ("a.mp3", "b.mp3", "no frames.mp3")]
    assert said == 8 * RATE
    assert said <= found <= said + 3 * 1152
    assert said <= flagged <= said + 3 * 1152
    read = read_audio(tmp_path / "b.mp3", RATE)
    assert len(read) == found
    assert np.array_equal(read_audio(tmp_path / "b.mp3", RATE, 5.0, 1.0), read[5 * RATE : 6 * RATE])
