"""What a MODEL argument is: a folder, or the name of a model in the box."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.commands.asr_command import Command

import asr
from asr.errors import InputError
from asr.named_models.model_folder import model_folder
from asr.recognizer import load


@pytest.fixture
def here(tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder; a model called small is in the box."""
    shutil.copytree(tiny_run / "decode" / "bundle", tmp_path / "box" / "small")
    monkeypatch.setattr("asr.named_models.box.box_folder", lambda: tmp_path / "box")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def audio(tiny_corpus: Path) -> Path:
    return next(tiny_corpus.rglob("*.flac"))


def test_transcribe_and_align_by_name(here: Path, audio: Path, tiny_run: Path, asr_command: Command) -> None:
    by_name = asr_command("transcribe", "small", audio, "--out", "transcripts", "--device", "cpu")
    assert by_name.status == 0
    by_folder = asr_command("transcribe", tiny_run, audio, "--out", "others", "--device", "cpu")
    assert by_name.out == by_folder.out != ""
    options = ("--out", "alignments", "--text", "sil dh ih s sil", "--device", "cpu")
    assert asr_command("align", "small", audio, *options, "--model", "small").status == 0


def test_load_by_name(here: Path, audio: Path, tiny_run: Path) -> None:
    assert asr.load("small", "cpu").transcribe(audio).symbols == load(tiny_run, "cpu").transcribe(audio).symbols


def test_export_by_name(traced_once: None, here: Path, asr_command: Command) -> None:
    assert asr_command("export", "small", "exported").status == 0
    assert (here / "exported" / "model.onnx").is_file()


def test_training_starts_from_it(here: Path, tiny_recipe: Path, asr_command: Command) -> None:
    arguments = ("--set", "model.pretrained=small", "--set", "training.epochs=1", "--stage", "train")
    for stage in ("prepare", "features"):
        assert asr_command("run", tiny_recipe, "--out", "run", *arguments[:-1], stage).status == 0
    outcome = asr_command("run", tiny_recipe, "--out", "run", *arguments)
    assert (outcome.status, "Initialised from small" in outcome.err) == (0, True)


def test_a_folder_that_holds_a_model_goes_first(here: Path, tiny_run: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(tiny_run / "decode" / "bundle", here / "small")
    with caplog.at_level("INFO"):
        assert model_folder("small").absolute() == here / "small"
    assert "not the model in the box called small" in caplog.text


def test_a_run_that_is_not_finished_goes_first(here: Path, tiny_recipe: Path, asr_command: Command) -> None:
    assert asr_command("run", tiny_recipe, "--out", "small", "--stage", "prepare").status == 0
    with pytest.raises(InputError, match="holds no model bundle"):
        load("small", "cpu")


def test_the_folder_of_transcripts_does_not_hide_the_model(here: Path, audio: Path, asr_command: Command) -> None:
    for _ in range(2):
        assert asr_command("transcribe", "small", audio, "--out", "small", "--device", "cpu").status == 0


def test_without_pytorch(here: Path, audio: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from asr.cli.main import main; main()"
    command = [sys.executable, "-c", code, "transcribe", here.parent / "box" / "small", audio, "--out", "out"]
    outcome = subprocess.run(command, capture_output=True, text=True)
    assert outcome.returncode == 1
    assert "needs PyTorch: pip install torch; or export it" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_unknown_names_list_what_there_is(here: Path, audio: Path, asr_command: Command) -> None:
    outcome = asr_command("transcribe", "smal", audio, "--out", "transcripts")
    assert outcome.status == 1
    assert "smal: no such folder" in outcome.err
    assert outcome.err.strip().endswith("the name of a model in the box (small)")


def test_list(here: Path, asr_command: Command) -> None:
    header = {
        "license": "cc-by-4.0",
        "model-index": [{"results": [{"dataset": {"name": "demo"}, "metrics": [{"value": 23.456}]}]}],
    }
    (here.parent / "box" / "small" / "README.md").write_text(f"---\n{yaml.safe_dump(header)}---\n\n# small\n")
    first, second = asr_command("model", "list").out.splitlines()
    assert first.startswith("small ")
    assert re.search(r"MB  \d+ phones  cc-by-4\.0$", first)
    assert second == "  PER 23.5%, silence removed: demo"


def test_list_of_a_card_without_figures(here: Path, asr_command: Command) -> None:
    (here.parent / "box" / "small" / "README.md").write_text("---\nlicense: mit\nmodel-index: 3\n---\n")
    outcome = asr_command("model", "list")
    assert (outcome.status, outcome.out.split()[0]) == (0, "small")


def test_each_model_that_ships_is_small_and_has_its_card() -> None:
    from asr.named_models.box import box_models
    from asr.sharing.card import header_figures, read_header

    for name, folder in box_models().items():
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 12e6, name
        header = read_header(folder)
        assert header["license"], name
        assert header_figures(header), name
        assert (folder / "LICENSE").is_file(), name
        assert load(name, "cpu").decoder.phones, name
