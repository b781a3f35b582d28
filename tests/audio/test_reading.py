"""Reading audio: formats, rates and channels; and a clear line for every kind of broken file."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.corpora.audio_files import RATE, tone

from asr.audio import AudioInfo, audio_info, read_audio, reading
from asr.audio.opening import open_audio
from asr.errors import InputError


@pytest.mark.parametrize("name", ["a.wav", "a file with spaces.flac", "a.ogg", "ä.nist"])
def test_reads_formats(tmp_path: Path, name: str) -> None:
    samples = tone()
    path = tmp_path / name
    soundfile.write(path, samples, RATE, format={"nist": "NIST"}.get(path.suffix[1:]))
    read = read_audio(path, RATE)
    assert read.dtype == np.float32
    assert read.shape == samples.shape
    assert np.abs(read - samples).max() < (0.05 if name.endswith("ogg") else 1e-4)
    assert audio_info(path) == AudioInfo(RATE, RATE // 2, 1)


def test_a_header_is_read_again_only_where_the_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "a.wav", tmp_path / "other.wav"
    soundfile.write(path, tone(), RATE)
    opened: list[Path] = []
    monkeypatch.setattr(reading, "open_audio", lambda path: opened.append(path) or open_audio(path))
    assert [audio_info(path).sample_rate for _ in range(2)] == [RATE, RATE]
    assert len(opened) == 1
    soundfile.write(other, tone(), 8000)
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert other.stat().st_size == status.st_size
    other.replace(path)  # of the same size and time
    assert audio_info(path).sample_rate == 8000
    soundfile.write(path, tone(), RATE)  # in its place, of the same size
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert audio_info(path).sample_rate == RATE


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_integers_are_scaled_to_one(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE, subtype=subtype)
    assert np.abs(read_audio(tmp_path / "a.wav", RATE) - tone()).max() < (0.01 if subtype == "PCM_U8" else 1e-4)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_resamples(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(rate), rate, subtype="FLOAT")
    read = read_audio(tmp_path / "a.wav", RATE)
    assert len(read) == RATE // 2
    inner = slice(1000, -1000)
    assert np.abs(read[inner] - tone()[inner]).max() < 1e-3


def test_reads_a_part(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE, subtype="FLOAT")
    assert np.array_equal(read_audio(tmp_path / "a.wav", RATE, 0.1, 0.2), tone()[1600:4800])
    with pytest.raises(InputError, match=r"requested; give a part that it has or, where that is a man"):
        read_audio(tmp_path / "a.wav", RATE, 0.4, 0.2)


def written_wav(tmp_path: Path, **settings: str) -> bytes:
    soundfile.write(tmp_path / "whole", tone(), RATE, format="WAV", **settings)
    return (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("kind", ["WAV", "NIST", "FLAC", "AIFF", "OGG", "AU", "W64", "RF64", "CAF", "MP3"])
@pytest.mark.parametrize("part", [0.4, 0.99])
def test_truncated_files_are_named(tmp_path: Path, kind: str, part: float, capfd: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "whole", tone(seconds=3.0), RATE, format=kind)
    whole = (tmp_path / "whole").read_bytes()
    path = tmp_path / f"short.{kind.lower()}"
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(InputError, match=f"{path.name}.*(truncated|broken|malformed)"):
        read_audio(path, RATE)
    if kind != "FLAC":  # whose header does not say how many bytes follow
        with pytest.raises(InputError, match=f"{path.name}.*(truncated|broken|malformed)"):
            audio_info(path)
    assert not capfd.readouterr().err  # where libmpg123 would write


@pytest.mark.parametrize(("tag", "added"), [(b"", 0), (b"ID3\x04\0\0\0\0\x10\0" + bytes(2048), 0), (b"", 20)])
def test_an_mp3_file_that_counts_a_few_bytes_more_is_whole(tmp_path: Path, tag: bytes, added: int) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone(seconds=3.0), RATE)
    whole = bytearray(path.read_bytes())
    at = whole.index(b"Info" if b"Info" in whole else b"Xing") + 12
    assert int.from_bytes(whole[at : at + 4], "big") == len(whole)
    whole[at : at + 4] = (len(whole) + added).to_bytes(4, "big")
    path.write_bytes(tag + whole)
    assert audio_info(path).samples == len(read_audio(path, RATE)) == 3 * RATE


def test_riff_of_unknown_length_is_read(tmp_path: Path) -> None:
    whole = bytearray(written_wav(tmp_path, subtype="PCM_16"))
    at = whole.index(b"data")
    whole[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    (tmp_path / "pipe.wav").write_bytes(whole)
    assert len(read_audio(tmp_path / "pipe.wav", RATE)) == len(tone())


def test_other_chunks_in_riff(tmp_path: Path) -> None:
    whole = written_wav(tmp_path, subtype="PCM_16")
    at = whole.index(b"data")
    (tmp_path / "list.wav").write_bytes(whole[:at] + b"LIST\x03\x00\x00\x00abc\x00" + whole[at:])
    assert len(read_audio(tmp_path / "list.wav", RATE)) == len(tone())


SHORTENED = (
    b"NIST_1A\n   1024\nsample_rate -i 8000\nchannel_count -i 2\nsample_n_bytes -i 1\nsample_count -i 800\n"
    b"sample_coding -s26 ulaw,embedded-shorten-v2.00\nend_head\n".ljust(1024)
    + b"ajkg\x02"
    + bytes(100)
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"this is a shopping list\n" * 20, "not an audio file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "audio"),
        (b"NIST_1A\n   1024\n", "audio"),
        (SHORTENED, "is SPHERE compressed by shorten, which cannot be read; decompress it"),
        (bytes(range(256)) * 8, "not an audio file"),
    ],
)
def test_what_is_not_audio(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "not audio.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"not audio.wav: .*{reason}"):
        read_audio(path, RATE)


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.wav: no such"):
        read_audio(tmp_path / "absent.wav", RATE)
    with pytest.raises(InputError, match="folder"):
        read_audio(tmp_path, RATE)
    with pytest.raises(InputError, match="folder"):
        audio_info(tmp_path)
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"gone\.wav: is a link to a file that does not exist"):
        read_audio(tmp_path / "gone.wav", RATE)
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(InputError, match=r"pipe\.wav: is a pipe or a device"):
        read_audio(tmp_path / "pipe.wav", RATE)


def test_memory_that_runs_out_is_the_file_s_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE)

    def read(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(soundfile.SoundFile, "read", read)
    with pytest.raises(InputError, match=r"a\.wav: does not fit in memory; split it into parts"):
        read_audio(tmp_path / "a.wav", RATE)


CASES = {
    "21-one-file-stops-the-batch/rate1hz.wav": "sample rate of 1 Hz",
    "22-inputs/au_half.au": "is truncated",
    "22-inputs/rf64_half.wav": "is truncated",
    "22-inputs/huge_float.wav": "samples that are not audio: 3e\\+38",
}


@pytest.mark.corpora
@pytest.mark.parametrize("name", CASES)
def test_files_that_were_misread_once(corpora: Path, name: str) -> None:
    if not (path := corpora.parent / "cases" / name).is_file():
        pytest.skip(f"{path} is absent")
    with pytest.raises(InputError, match=CASES[name]):
        read_audio(path, RATE)


@pytest.mark.corpora
def test_a_flac_file_from_a_pipe(corpora: Path) -> None:
    if not (path := corpora.parent / "cases" / "21-one-file-stops-the-batch" / "piped.flac").is_file():
        pytest.skip(f"{path} is absent")
    assert audio_info(path).samples == len(read_audio(path, RATE)) == 54682


@pytest.mark.parametrize("kind", ["AU", "W64", "RF64"])
def test_the_bytes_that_are_missing_are_counted(tmp_path: Path, kind: str) -> None:
    soundfile.write(tmp_path / "whole", tone(), RATE, format=kind)
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "short").write_bytes(whole[:-2])
    with pytest.raises(InputError, match=f"short: is truncated: {len(whole) - 2} of {len(whole)} bytes are present"):
        read_audio(tmp_path / "short", RATE)


@pytest.mark.parametrize(("kind", "at", "size"), [("AU", 8, 4), ("W64", 16, 8)])
def test_an_unknown_length_in_a_header_is_not_a_missing_end(tmp_path: Path, kind: str, at: int, size: int) -> None:
    soundfile.write(tmp_path / "pipe", tone(), RATE, format=kind)
    whole = bytearray((tmp_path / "pipe").read_bytes())
    whole[at : at + size] = b"\xff" * size
    (tmp_path / "pipe").write_bytes(whole)
    assert len(read_audio(tmp_path / "pipe", RATE)) == len(tone())


def without_length(flac: bytes) -> bytes:
    """The FLAC file that a program writes to a pipe: 0 samples in its header means that their number is unknown."""
    head = bytearray(flac)
    head[21] &= 0xF0
    head[22:26] = bytes(4)
    return bytes(head)


@pytest.mark.parametrize("channels", [1, 2])
def test_flac_of_unknown_length_is_read_to_its_end(tmp_path: Path, channels: int) -> None:
    soundfile.write(tmp_path / "a.flac", np.stack([tone(seconds=3.0)] * channels, axis=1), RATE)
    (tmp_path / "pipe.flac").write_bytes(without_length((tmp_path / "a.flac").read_bytes()))
    assert audio_info(tmp_path / "pipe.flac") == AudioInfo(RATE, 3 * RATE, channels)
    expected = read_audio(tmp_path / "a.flac", RATE)
    assert np.array_equal(read_audio(tmp_path / "pipe.flac", RATE), expected)
    assert np.array_equal(read_audio(tmp_path / "pipe.flac", RATE, 1.0, 0.5), expected[RATE : RATE * 3 // 2])
    with pytest.raises(InputError, match=r"has 3\.000 s of audio"):
        read_audio(tmp_path / "pipe.flac", RATE, 2.0, 2.0)


def test_a_broken_flac_says_how_much_can_be_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).normal(0, 0.1, 4 * RATE), RATE)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(whole[: len(whole) // 2] + bytes(2000) + whole[len(whole) // 2 + 2000 :])
    for start in (0.0, 1.0):
        with pytest.raises(InputError, match=r"a\.flac: broken audio: only the first [12]\.\d of 4\.0 s can"):
            read_audio(tmp_path / "a.flac", RATE, start)


def test_a_broken_flac_of_unknown_length_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", tone(seconds=3.0), RATE)
    whole = without_length((tmp_path / "a.flac").read_bytes())
    (tmp_path / "pipe.flac").write_bytes(whole[: len(whole) // 2] + bytes(2000) + whole[len(whole) // 2 + 2000 :])
    with pytest.raises(InputError, match=r"pipe\.flac: broken audio"):
        read_audio(tmp_path / "pipe.flac", RATE)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38, -1e10])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_that_are_not_audio(tmp_path: Path, bad: float, channels: int) -> None:
    samples = np.stack([tone()] * channels, axis=1)
    samples[100, 0], samples[100, -1] = -bad, bad  # their mean would be 0
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(InputError, match=r"a\.wav: has samples that are not audio: .*; re-export the file"):
        read_audio(tmp_path / "a.wav", RATE)


def test_loud_floating_point_samples_are_audio(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone() * 32768, RATE, subtype="FLOAT")
    assert read_audio(tmp_path / "a.wav", RATE).max() > 16000


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_an_impossible_rate_is_named(tmp_path: Path, rate: int) -> None:
    whole = bytearray(written_wav(tmp_path, subtype="PCM_16"))
    whole[24:28] = rate.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(whole)
    with pytest.raises(InputError, match=rf"a\.wav: has a sample rate of {rate} Hz in its header"):
        read_audio(tmp_path / "a.wav", RATE)


def test_no_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0), RATE)
    with pytest.raises(InputError, match="no audio samples"):
        read_audio(tmp_path / "a.wav", RATE)


@pytest.mark.corpora
def test_every_file_of_the_sample(timit_sample: Path) -> None:
    files = sorted(timit_sample.glob("*/*.wav"))
    assert len(files) == 160
    for path in files:
        info = audio_info(path)
        assert (info.sample_rate, info.channels) == (RATE, 1)
        assert len(read_audio(path, RATE)) == info.samples
