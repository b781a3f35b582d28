"""`asr doctor` without a folder: versions, missing extras, the self-test; and shell completion."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.commands.asr_command import Command

from asr.runs import installation


def test_a_good_installation(asr_command: Command) -> None:
    outcome = asr_command("doctor", "--device", "cpu")
    assert outcome.status == 0
    assert f"torch  {torch.__version__.partition('+')[0]}" in outcome.out
    assert "gpus  " in outcome.out
    for part in ("audio", "features", "augmentation", "a training step", "search"):
        assert f"self-test  {part}: right" in outcome.out
    assert outcome.out.endswith("Checked the installation: no problems\n")


def test_a_library_that_computes_wrongly(asr_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soundfile.write", lambda path, samples, rate: Path(path).write_bytes(b"RIFF"))
    outcome = asr_command("doctor", "--device", "cpu")
    assert outcome.status == 1
    assert "self-test  audio: " in outcome.out
    assert "self-test  audio: right" not in outcome.out
    assert outcome.out.endswith("Checked the installation: 1 problem\n")


def test_a_torchaudio_of_another_release(asr_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("Could not load this library: libtorchaudio.so")

    for name in [each for each in sys.modules if each.partition(".")[0] == "torchaudio"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "asr.features.augmentation.speed", raising=False)
    monkeypatch.setattr(torch.ops, "load_library", fails)
    outcome = asr_command("doctor", "--device", "cpu")
    assert outcome.status == 1
    assert "self-test  augmentation: torchaudio " in outcome.out
    assert "install both of one release" in outcome.out


def test_missing_extras_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "numpy>=2",
        "no-such-package<3,>=2; extra == 'ray'",
        "numpy>=2; extra == 'av'",
        "no-such-linter; extra == 'dev'",
    ]
    monkeypatch.setattr(installation, "requires", lambda name: lines)
    assert installation.missing_extras() == {"ray": ["no-such-package"]}


@pytest.mark.parametrize(("words", "expected"), [("asr transc", "transcribe"), ("asr train --find", "--find-lr")])
def test_completion_in_bash(words: str, expected: str) -> None:
    """As bash asks for it, after `asr --install-completion`."""
    asked = {"_ASR_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    code = "import sys; sys.argv = ['asr']; from asr.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | asked, capture_output=True, text=True)
    assert done.stdout.split() == [expected], done.stderr
