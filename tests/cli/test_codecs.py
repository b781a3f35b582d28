"""Codecs do not write to the terminal, whichever command reads the audio."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.cli.main import main

RATE = 16000
Call = Callable[..., tuple[object, list[str]]]


def mp3(path: Path, seed: int) -> bytes:
    noise = np.random.default_rng(seed).normal(0, 0.1, 6 * RATE)
    soundfile.write(path, noise, RATE)
    return path.read_bytes()


def damaged(content: bytes) -> bytes:
    """Zeros for a fifth of it, from the middle on: libmpg123 looks for the next frame, and gives up."""
    middle, length = len(content) // 2, len(content) // 5
    return content[:middle] + bytes(length) + content[middle + length :]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Calls `asr` in this process; returns its status and the lines on the file descriptor of standard error."""

    def run(*arguments: object) -> tuple[object, list[str]]:
        monkeypatch.setattr(sys, "argv", ["asr", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main()
        return leaving.value.code or 0, capfd.readouterr().err.splitlines()

    return run


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Six files of as many speakers, of which b is damaged."""
    if "MP3" not in soundfile.available_formats():
        pytest.skip("this libsndfile has no MP3")
    rows = ["path,speaker,phones,split"]
    for seed, (name, split) in enumerate(zip("abcd", ("train", "train", "dev", "test"), strict=True)):
        content = mp3(tmp_path / f"{name}.mp3", seed)
        (tmp_path / f"{name}.mp3").write_bytes(damaged(content) if name == "b" else content)
        rows.append(f"{name}.mp3,{name},sh iy,{split}")
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_damaged_mp3_is_one_line_of_ours(corpus: Path, call: Call) -> None:
    assert call("prepare", "csv", corpus / "list.csv", corpus / "prepared") == (0, [])
    broken = r"broken audio: only the first (2\.\d|3\.0) of 6\.0 s can be read \(.*\); "
    said = f"{re.escape(str(corpus / 'b.mp3'))}: {broken}"
    for command in (
        ("features", corpus / "prepared", corpus / "features"),
        ("run", corpus / "prepared/recipe.yaml", "--out", corpus / "run", "--device=cpu"),
    ):
        status, (*news, last) = call(*command)
        assert status == 1
        assert news in ([], ["prepare: running", "features: running"])
        assert re.match(f"asr: {said}copy it again from its source; --skip-bad", last), last
    status, (first, second) = call("features", corpus / "prepared", corpus / "features", "--skip-bad")
    assert (status, second) == (0, "train: 1 utterance skipped")
    assert re.match(f"skipped: b: {said}", first), first
    _, shown = call("features", corpus / "prepared", corpus / "other features", "--debug")
    assert any("libmpg123" in line for line in shown)


def test_a_damaged_mp3_of_unknown_length_is_one_line_when_it_is_prepared(corpus: Path, call: Call) -> None:
    """Its length is known once it is decoded."""
    content = mp3(corpus / "b.mp3", 1)
    (corpus / "b.mp3").write_bytes(damaged(content[content.index(content[:2], 4) :]))
    status, [line] = call("prepare", "csv", corpus / "list.csv", corpus / "prepared")
    assert status == 1
    assert line.startswith(f"asr: {corpus / 'list.csv'}:3: {corpus / 'b.mp3'}: broken audio (")
