"""A run comes to the same bytes: when it is made twice, and when it was killed or stopped on the way."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from support.commands.asr_command import Command, done, snapshot
from support.commands.faults import FaultyCommand

from asr.training import loop

CHECKPOINT = "train/checkpoints/last.safetensors"
STAGES = ("prepare", "features", "train", "decode", "score")
# Seconds, speeds and the time of day differ from run to run; nothing else does.
TIMED = re.compile(r'"(seconds|frames_per_second)": (\{[^}]*\}|[\d.]+)')
SHOWN = re.compile(r"<svg [^>]*Speed of the training.*?</svg>|\b\d+\.\d\b")  # seconds; the rest is in results.json
TIMES = (".asr.jsonl", "decode/speed.json", "report-figures/speed.svg")
"""Files that tell how long the work took."""


def test_the_same_recipe_gives_the_same_bytes(
    tiny_recipe: Path, tiny_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    other = tmp_path / "other"
    folder = tmp_path / "tiny"
    folder.mkdir()
    recipe = shutil.copy(tiny_recipe, folder / "dnn.yaml")
    assert asr_command("run", recipe, "--out", other, "--device", "cpu").status == 0
    first, second = snapshot(tiny_run), snapshot(other)
    for files in (first, second):
        for name in [name for name in files if "tfevents" in name or name in TIMES]:
            del files[name]
    assert first.keys() == second.keys()
    different = {name for name in first if first[name] != second[name]}
    assert different <= {"results.json", "report.html", "report.md", "train/metrics.jsonl"} | {
        f"{stage}/stage.json" for stage in STAGES
    }
    for name in sorted(different):
        timed = SHOWN if name.startswith("report") else TIMED
        assert timed.sub("", first[name].decode()) == timed.sub("", second[name].decode()), name


LONG = ("--set", "training.epochs=4", "--set", "training.patience=4", "--device", "cpu")


@pytest.fixture(scope="module")
def whole(tiny_recipe: Path, tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of some epochs that nothing interrupted."""
    from asr.cli.main import app

    folder = Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("whole") / "run"))
    app(["run", str(tiny_recipe), "--out", str(folder), "--from", "train", *LONG], standalone_mode=False)
    return folder


@pytest.fixture
def parts(own_run: Path) -> Path:
    """A run that has its features, and has not trained."""
    for name in ("train", "decode", "score"):
        shutil.rmtree(own_run / name)
    return own_run


def goes_on_to_the_same_bits(asr_command: Command, recipe: Path, whole: Path, parts: Path) -> None:
    assert (parts / CHECKPOINT).exists()
    assert not (parts / "train/stage.json").exists()
    outcome = asr_command("run", recipe, "--out", parts, *LONG)
    assert outcome.status == 0
    assert done(outcome.err) == ["train", "decode", "score"]
    assert "epoch 1:" not in outcome.err
    assert "epoch 4:" in outcome.err
    for name in ("train/bundle/model.safetensors", "decode/test/hypotheses.jsonl", "decode/bundle/lm.arpa"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()
    assert not list(parts.rglob("*.asr-part"))


def test_killed_in_training_it_goes_on_to_the_same_bits(
    tiny_recipe: Path, whole: Path, parts: Path, tmp_path: Path, asr_command: Command
) -> None:
    """After it has written its second checkpoint, before it replaces the first by it."""
    written = parts / "train/checkpoints/.last"
    second = 4  # each is fsynced, renamed, and its former name deleted if it is still there
    command: list[object] = ["run", tiny_recipe, "--out", parts, *LONG]
    assert FaultyCommand(tmp_path)(command, written, "kill", second).status == -signal.SIGKILL
    goes_on_to_the_same_bits(asr_command, tiny_recipe, whole, parts)


def test_stopped_in_training_it_says_so_and_goes_on(
    tiny_recipe: Path, whole: Path, parts: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def then_press_ctrl_c(*arguments: object) -> None:
        save(*arguments)
        os.kill(os.getpid(), signal.SIGINT)

    save = loop.save_checkpoint
    former = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    try:
        with monkeypatch.context() as patch:
            patch.setattr(loop, "save_checkpoint", then_press_ctrl_c)
            outcome = asr_command("run", tiny_recipe, "--out", parts, *LONG)
    finally:
        signal.signal(signal.SIGINT, former)
    assert outcome.status == 130
    assert outcome.err.splitlines()[-1] == "asr: Interrupted; rerun the same command to resume"
    goes_on_to_the_same_bits(asr_command, tiny_recipe, whole, parts)
