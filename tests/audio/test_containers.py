"""Formats that libsndfile does not read, through PyAV or the program ffmpeg."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.corpora.audio_files import RATE, tone, write_container

from asr.audio import audio_info, read_audio, read_blocks
from asr.audio.containers import has_container_decoder
from asr.audio.pyav import PyavDecoder
from asr.errors import InputError

FFMPEG = shutil.which("ffmpeg")
PLAYLISTS = {
    "hls.m4a": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3.0,\n{other}\n#EXT-X-ENDLIST\n",
    "concat.mp4": "ffconcat version 1.0\nfile '{other}'\n",
    "concat.webm": "ffconcat version 1.0\nfile 'file:{other}'\n",
    "session.m4a": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "list.wma": "[playlist]\nFile1={other}\n",
}

FAKE_FFMPEG = """\
#!/bin/sh
exec '{python}' - "$@" << 'END'
import json, struct, sys
json.dump(sys.argv[1:], open({arguments!r}, "w"))
sys.stdout.buffer.write(struct.pack(">4s5I", b".snd", 28, 0xFFFFFFFF, 6, 16000, 2) + bytes(4))
sys.stdout.buffer.write(struct.pack(">8000f", *([0.5, 0.25] * 4000)))
sys.stderr.write({error!r})
sys.exit({status})
END
"""


@pytest.fixture(params=["pyav", pytest.param("ffmpeg", marks=pytest.mark.skipif(not FFMPEG, reason="no ffmpeg"))])
def decoder(files: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Only one way to decode."""
    if request.param == "ffmpeg":
        monkeypatch.setitem(sys.modules, "av", None)
    else:
        monkeypatch.setenv("PATH", "")
    return request.param


@pytest.fixture
def no_pyav(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Neither PyAV nor ffmpeg; returns the one folder of the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("containers")
    mono = tone(seconds=12.0)
    for name, codec, samples, rate in (
        ("a.m4a", "aac", mono, RATE),
        ("a.mp4", "alac", mono, RATE),
        ("stereo.m4a", "aac", np.stack([tone(44100), 0.5 * tone(44100)], axis=1), 44100),
        ("a.webm", "libopus", tone(48000, 4.0), 48000),
        ("a.mkv", "pcm_s16le", mono, RATE),
        ("u8.mkv", "pcm_u8", mono, RATE),
        ("a.aac", "aac", mono, RATE),
        ("a.mov", "pcm_s16le", mono, RATE),
    ):
        write_container(folder / name, samples, codec, rate)
    return folder


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4", "stereo.m4a", "a.webm", "a.mkv", "u8.mkv", "a.aac", "a.mov"])
def test_containers_are_read(name: str, files: Path, decoder: str) -> None:
    info = audio_info(files / name)
    assert info.sample_rate == {"stereo.m4a": 44100, "a.webm": 48000}.get(name, RATE)
    assert info.channels == (2 if name.startswith("stereo") else 1)
    read = read_audio(files / name, RATE)
    assert abs(len(read) - info.samples * RATE / info.sample_rate) <= 1
    inner = read[4000:6000]
    assert np.sqrt(2 * np.mean(inner**2)) == pytest.approx(0.375 if "stereo" in name else 0.5, rel=0.03)
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner))))
    assert spectrum.argmax() == 440 * len(inner) // RATE
    assert np.array_equal(np.concatenate(list(read_blocks(files / name, RATE, 0.7))), read)
    assert np.array_equal(read_audio(files / name, RATE, 0.125, 0.25), read[2000:6000]) or info.sample_rate != RATE


def test_a_channel_of_a_container(files: Path, decoder: str) -> None:
    left, right = (read_audio(files / "stereo.m4a", RATE, channel=channel)[2000:6000] for channel in (0, 1))
    assert np.std(right) == pytest.approx(np.std(left) / 2, rel=0.05)


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_opens_no_other_file(name: str, files: Path, tmp_path: Path, decoder: str) -> None:
    shutil.copy(files / "a.m4a", tmp_path / "other.m4a")
    (tmp_path / name).write_text(PLAYLISTS[name].format(other=tmp_path / "other.m4a"))
    with pytest.raises(InputError, match=f"{name}: not an audio file that can be read"):
        read_audio(tmp_path / name, RATE)


@pytest.mark.parametrize("name", ["hls.m4a", "concat.mp4"])
def test_pyav_opens_no_other_file_whatever_the_format(name: str, files: Path, tmp_path: Path) -> None:
    shutil.copy(files / "a.aac", tmp_path / "a.aac")
    (tmp_path / name).write_text(PLAYLISTS[name].format(other="a.aac"))
    with pytest.raises(InputError, match=f"{name}: not an audio file that can be read"):
        PyavDecoder(tmp_path / name, "hls,concat,aac")


@pytest.mark.parametrize("name", ["-i.m4a", "concat:a.m4a", "http:b.m4a", "a 'b' %d.m4a", "pipe:0.m4a"])
def test_a_name_is_only_a_name(
    name: str, files: Path, tmp_path: Path, decoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(files / "a.m4a", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(read_audio(name, RATE)) >= 12 * RATE


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4", "a.mkv", "a.webm", "a.aac"])
@pytest.mark.parametrize("part", [0.3, 0.8])
def test_truncated_containers_are_named(name: str, part: float, files: Path, tmp_path: Path, decoder: str) -> None:
    whole = (files / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(InputError, match=rf"{name}: (is truncated|broken audio|not an audio file)"):
        read_audio(tmp_path / name, RATE)


def test_a_stream_that_changes_its_rate_is_refused(tmp_path: Path) -> None:
    for rate in (RATE, 44100):
        write_container(tmp_path / f"{rate}.aac", tone(rate), "aac", rate)
    (tmp_path / "a.aac").write_bytes((tmp_path / f"{RATE}.aac").read_bytes() + (tmp_path / "44100.aac").read_bytes())
    with pytest.raises(InputError, match=r"a\.aac: changes its sample rate or channels in the middle"):
        read_audio(tmp_path / "a.aac", RATE)


def test_what_is_not_audio_is_named(tmp_path: Path, decoder: str) -> None:
    (tmp_path / "a.m4a").write_bytes(b"this is a shopping list\n" * 20)
    with pytest.raises(InputError, match=r"a\.m4a: not an audio file that can be read"):
        read_audio(tmp_path / "a.m4a", RATE)


def test_without_a_decoder_each_file_is_named(no_pyav: Path, tmp_path: Path) -> None:
    assert not has_container_decoder()
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(500))
    with pytest.raises(InputError, match=r"a\.m4a: reading \.m4a needs PyAV \(pip install 'asr-phones\[av\]'\) or ffm"):
        read_audio(tmp_path / "a.m4a", RATE)
    (tmp_path / "a.sph").write_bytes(b"NIST_1A\n   1024\nsample_coding -s26 ulaw,embedded-shorten-v2.00\nend_head\n")
    with pytest.raises(InputError, match=r"a\.sph: is SPHERE compressed by shorten"):
        read_audio(tmp_path / "a.sph", RATE)
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    assert len(read_audio(tmp_path / "a.wav", RATE)) == len(tone())


def fake_ffmpeg(folder: Path, error: str = "", status: int = 0) -> Path:
    arguments = folder / "arguments.json"
    program = folder / "ffmpeg"
    program.write_text(FAKE_FFMPEG.format(python=sys.executable, arguments=str(arguments), error=error, status=status))
    program.chmod(0o755)
    return arguments


def test_what_ffmpeg_is_asked(no_pyav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = fake_ffmpeg(no_pyav)
    assert has_container_decoder()
    (tmp_path / "-y.m4a").write_bytes(b"x" * 100)
    monkeypatch.chdir(tmp_path)
    assert np.allclose(read_audio("-y.m4a", RATE), np.full(4000, 0.375), atol=1e-6)
    assert np.allclose(read_audio("-y.m4a", RATE, 0.1, 0.1, channel=1), np.full(1600, 0.25))
    text = arguments.read_text()
    assert f'"-i", "file:{tmp_path}/-y.m4a"' in text
    assert '"-nostdin"' in text
    assert '"-protocol_whitelist", "file", "-format_whitelist", "mov,matroska,' in text
    assert "hls" not in text
    assert "concat" not in text


@pytest.mark.parametrize(("error", "status"), [("[aac @ 0x55] bad packet\nmore\n", 0), ("file:/x/y: bad packet\n", 1)])
def test_what_ffmpeg_says_is_one_line(error: str, status: int, no_pyav: Path, tmp_path: Path) -> None:
    fake_ffmpeg(no_pyav, error, status)
    (tmp_path / "a.m4a").write_bytes(b"x" * 100)
    with pytest.raises(InputError, match=r"a\.m4a: broken audio \(bad packet\); copy it again from its source$"):
        read_audio(tmp_path / "a.m4a", RATE)
