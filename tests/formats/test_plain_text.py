"""Transcripts as plain text, and TIMIT's sample numbers before them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import AudioInfo
from asr.formats.plain_text import read_sentence, read_transcript


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 46797 She had it.\n", "She had it."),
        ("10 46900 She had it.\n", "She had it."),
        ("0 23399 She had it.\n", "She had it."),
        ("She  had\u00a0it.\n\n", "She had it."),
        ("7 11 she had\n", "7 11 she had"),
        ("46797 46797 she\n", "46797 46797 she"),
        ("0 40000 leagues under\n", "0 40000 leagues under"),
        ("0 46797\n", "0 46797"),
        ("9" * 400 + " 46797 she\n", "9" * 400 + " 46797 she"),
        ("", ""),
    ],
)
def test_numbers_are_left_out_where_they_are_the_audios_length(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert read_sentence(tmp_path / "a.txt", lambda: AudioInfo(8000, 23398, 1)) == sentence


def test_the_audio_is_read_only_where_there_are_two_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("7 up")
    assert read_transcript(path, "words", tmp_path / "none.wav") == "7 up"
    soundfile.write(tmp_path / "a.wav", np.zeros(16000, np.float32), 16000)
    path.write_text("0 16000 she had")
    assert read_transcript(path, "words", tmp_path / "a.wav") == "she had"
