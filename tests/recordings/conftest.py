"""Recordings as people have them, good and bad, and labelled ones."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.corpora.recordings import RATE, write_audio


@pytest.fixture(scope="session")
def speech(tiny_corpus: Path) -> np.ndarray:
    return soundfile.read(next(tiny_corpus.glob("test/*/fslt2/*.flac")), dtype="float32")[0]


@pytest.fixture
def good(tmp_path: Path, speech: np.ndarray) -> Path:
    """A folder of recordings as people have them."""
    folder = tmp_path / "my recordings"
    write_audio(folder / "one.wav", speech)
    write_audio(folder / "Übung 2" / "ʃøn été.flac", speech)
    write_audio(folder / "studio.WAV", np.repeat(speech, 3), 48000)
    times = np.arange(0, len(speech), RATE / 44100)
    write_audio(folder / "music.wav", np.stack([np.interp(times, np.arange(len(speech)), speech)] * 2, axis=1), 44100)
    write_audio(folder / "24 bit.wav", speech, subtype="PCM_24")
    write_audio(folder / "float.aiff", speech, subtype="FLOAT")
    for name, options in {"vorbis.ogg": {}, "opus.opus": {"format": "OGG", "subtype": "OPUS"}, "mp3.mp3": {}}.items():
        if options.get("format", Path(name).suffix[1:].upper()) in soundfile.available_formats():
            write_audio(folder / name, speech, **options)
    return folder


@pytest.fixture
def bad(tmp_path: Path, speech: np.ndarray) -> Path:
    """A folder of files that are not what they seem."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "text.wav").write_text("This is not audio.\n")
    (folder / "empty.wav").touch()
    whole = write_audio(folder / "truncated.wav", speech)
    whole.write_bytes(whole.read_bytes()[:-1000])
    write_audio(folder / "nan.wav", np.array([0.0, np.nan] * 8000, np.float32), subtype="FLOAT")
    write_audio(folder / "short.wav", speech[:100])
    write_audio(folder / "silent.wav", speech[:0])
    write_audio(folder / ("n" * 235 + ".wav"), speech)
    return folder


@pytest.fixture
def spoken(tiny_corpus: Path, tmp_path: Path) -> Path:
    """Three recordings of one speaker with TIMIT's label files beside them."""
    return Path(shutil.copytree(next(tiny_corpus.glob("test/*/fslt2")), tmp_path / "spoken"))
