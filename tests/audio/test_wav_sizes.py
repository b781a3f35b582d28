"""WAV headers with wrong sizes, as recorders write them."""

import logging
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.corpora.audio_files import RATE, tone, wav_bytes

from asr.audio import audio_info, read_audio, read_blocks
from asr.errors import InputError

HEADER = 44
"""Bytes."""


def written(folder: Path, content: bytes) -> Path:
    path = folder / "a.wav"
    path.write_bytes(content)
    return path


@settings(max_examples=30, deadline=None)
@given(
    samples=st.integers(2 * HEADER, 3000),
    channels=st.integers(1, 3),
    extra=st.sampled_from([b"", b"LIST\x03\x00\x00\x00abc\x00", b"JUNK" + (2000).to_bytes(4, "little") + bytes(2000)]),
    size=st.sampled_from(["zero", "all ones", "of sox", "1 more", "44 more", "the whole header more"]),
)
def test_all_that_is_there_is_read(samples: int, channels: int, extra: bytes, size: str) -> None:
    audio = np.tile(tone()[:samples, None], channels)
    present = audio.size * 2
    sizes = {"zero": 0, "all ones": 0xFFFFFFFF, "of sox": 0x7FFFF000, "1 more": present + 1, "44 more": present + 44}
    sizes["the whole header more"] = present + HEADER + len(extra)
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), wav_bytes(audio, sizes[size], before=extra))
        assert audio_info(path).samples == samples
        assert np.abs(read_audio(path, RATE) - audio[:, 0]).max() < 1e-4


def test_a_few_missing_bytes_are_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, wav_bytes(tone(), size=2 * len(tone()) + HEADER))
    with caplog.at_level(logging.WARNING):
        read_audio(path, RATE)
    assert caplog.messages == [f"{path}: has 44 bytes of audio fewer than its header says; what is there is read"]
    warnings: list[str] = []
    assert sum(map(len, read_blocks(path, RATE, 0.1, warnings=warnings))) == len(tone())
    assert len(warnings) == len(caplog.messages) == 1


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_an_unknown_size_is_no_warning(size: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read_audio(written(tmp_path, wav_bytes(tone(), size)), RATE)
    assert caplog.messages == []


@pytest.mark.parametrize("missing", [HEADER + 1, 2 * HEADER, 10_000, 2**30])
def test_more_missing_bytes_are_a_truncated_file(missing: int, tmp_path: Path) -> None:
    path = written(tmp_path, wav_bytes(tone(), 2 * len(tone()) + missing))
    for reads in (audio_info, lambda path: read_audio(path, RATE)):
        with pytest.raises(InputError, match=r"a\.wav: is truncated: .* sox --ignore-length"):
            reads(path)


@pytest.mark.parametrize("after", [b"", b"LIST\x04\x00\x00\x00abcd", b"LIST\x03\x00\x00\x00abc\x00", b"x"])
def test_an_empty_recording_is_not_read_as_audio(after: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no audio samples"):
        read_audio(written(tmp_path, wav_bytes(np.zeros(0)) + after), RATE)


def test_audio_that_the_header_does_not_count_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, wav_bytes(tone(seconds=3.0), size=2 * RATE))
    assert len(read_audio(path, RATE)) == RATE
    [message] = caplog.messages
    assert "has 64000 bytes after the audio that its header counts, which are not read" in message
    caplog.clear()
    read_audio(written(tmp_path, wav_bytes(tone()) + b"LIST\xff\xff\x00\x00" + bytes(65535)), RATE)
    read_audio(written(tmp_path, wav_bytes(tone()) + b"TAGtitle"), RATE)
    assert caplog.messages == []


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, HEADER - 1), content=st.binary(min_size=1, max_size=8), cut=st.integers(0, 300))
@example(at=30, content=b"\0\0\0\x009", cut=0)  # integers of 64 bits
def test_any_header_is_read_or_one_line(at: int, content: bytes, cut: int) -> None:
    whole = bytearray(wav_bytes(tone(seconds=0.02)))
    whole[at : at + len(content)] = content
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), bytes(whole[: len(whole) - cut]))
        with suppress(InputError):
            read_audio(path, RATE)


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["ffffffff", "ok", "plus44", "zero"])
def test_files_that_were_refused_once(corpora: Path, name: str) -> None:
    folder = corpora.parent / "cases" / "14-wav-sizes-in-header" / "in"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    assert np.array_equal(read_audio(folder / f"{name}.wav", RATE), read_audio(folder / "ok.wav", RATE))
