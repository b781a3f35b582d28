"""The folder in which the documentation's examples run."""

import shutil
from pathlib import Path

from asr.recognizer import Recognizer


def doctest_folder(folder: Path, run: Path, corpus: Path, recognizer: Recognizer) -> None:
    """A run, two recordings and their transcripts under the names that the examples use."""
    (folder / "runs" / "demo").mkdir(parents=True)
    (folder / "runs" / "demo" / "dnn").symlink_to(run)
    for name, audio in zip(("hello.wav", "other.wav"), sorted(corpus.glob("test/**/*.flac")), strict=False):
        shutil.copy(audio, folder / name)
    recognizer.transcribe(str(folder / "hello.wav")).write(folder / "transcripts.jsonl")
