"""TIMIT's label files as they are written: in samples of the audio."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.formats.registry import writer
from asr.formats.transcript import PhoneSegment, Transcript, WordSegment

SAMPLES = 30001


@pytest.fixture
def audio(tmp_path: Path) -> str:
    soundfile.write(tmp_path / "a.wav", np.zeros(SAMPLES), 10000)
    return str(tmp_path / "a.wav")


def test_a_recordings_last_label_ends_with_its_last_sample(tmp_path: Path, audio: str) -> None:
    phones = [PhoneSegment("k", 0.0, 0.12344), PhoneSegment("ae", 0.12344, 3.0001)]
    words = [WordSegment("ca", 0.0, 3.0)]  # times are rounded
    written = writer("phn").write(tmp_path, [Transcript("u/1", phones, audio=audio, duration=3.0001, words=words)])
    assert written == [tmp_path / "labels/u/1.phn", tmp_path / "labels/u/1.wrd"]
    assert [path.read_text() for path in written] == [f"0 1234 k\n1234 {SAMPLES} ae\n", f"0 {SAMPLES} ca\n"]


def test_a_part_of_a_recording_ends_where_the_part_does(tmp_path: Path, audio: str) -> None:
    [path] = writer("phn").write(tmp_path, [Transcript("u", [PhoneSegment("k", 0.0, 1.0)], audio=audio, duration=1.0)])
    assert path.read_text() == "0 10000 k\n"
