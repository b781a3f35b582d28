"""The command line: imports nothing heavy for help texts, describes every option, and gives one line for a mistake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import typer
from support.commands.asr_command import Command

from asr.cli import main
from asr.errors import InputError
from asr.version import __version__

ROOT = typer.main.get_command(main.app)
COMMANDS = sorted(ROOT.commands)  # type: ignore[attr-defined]
HEAVY = ("torch", "lhotse", "librosa", "matplotlib", "soundfile", "scipy", "kaldifst", "tensorboard", "numpy")
LOADED = f"import sys; print(*[name for name in {HEAVY} if name in sys.modules])"


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("imported", ["import asr", "import asr.config, asr.config.recipe_file", "import asr.cli.main"])
def test_an_import_loads_nothing_heavy(imported: str) -> None:
    assert python("-c", f"{imported}\n{LOADED}").stdout.split() == []


def test_what_draws_spectrograms_loads_only_numpy() -> None:
    assert python("-c", f"import asr.report.plotting.speech\n{LOADED}").stdout.split() == ["numpy"]


def test_help_loads_nothing_heavy() -> None:
    call = "import sys; sys.argv[1:] = ['--help']\nfrom asr.cli.main import main"
    code = f"{call}\ntry: main()\nexcept SystemExit: {LOADED}"
    process = python("-c", code)
    assert process.stdout.splitlines()[-1] == ""
    assert {"run", "train", "transcribe"} <= set(COMMANDS)
    assert all(command in process.stdout for command in COMMANDS)


def test_the_version_loads_nothing_heavy(asr_command: Command) -> None:
    assert asr_command("--version").out == f"asr {__version__}\n"
    call = "import sys; sys.argv[1:] = ['--version']\nfrom asr.cli.main import main"
    process = python("-c", f"{call}\ntry: main()\nexcept SystemExit as leaving: assert not leaving.code; {LOADED}")
    assert (process.stdout, process.stderr) == (f"asr {__version__}\n\n", "")


def test_every_command_argument_and_option_has_a_help_text() -> None:
    def check(command: object, name: str) -> None:
        assert getattr(command, "help", None), name
        for parameter in command.params:  # type: ignore[attr-defined]
            assert parameter.name == "help" or parameter.help, f"{name} {parameter.name}"
        for child, inner in getattr(command, "commands", {}).items():
            check(inner, f"{name} {child}")

    check(ROOT, "asr")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command: str, asr_command: Command) -> None:
    outcome = asr_command(command, "--help")
    assert (outcome.status, outcome.err) == (0, "")
    assert "Usage" in outcome.out


@pytest.mark.parametrize(
    "arguments",
    [["dance"], ["run"], ["run", "x.yaml", "--dance"], ["transcribe", "a", "b"], ["prepare", "dance", "x", "y"]],
)
def test_a_command_that_cannot_be_parsed_says_how(arguments: list[str], asr_command: Command) -> None:
    outcome = asr_command(*arguments)
    assert outcome.status == 2
    assert "Usage: " in outcome.err
    assert "--help" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("is wrong;\nfix it", "a.wav", 3), 1, "asr: a.wav:3: is wrong; fix it"),
        (PermissionError(13, "Permission denied", "x"), 1, "asr: [Errno 13] Permission denied: 'x'"),
        (OSError("Could not load this library: x.so"), 1, "asr: Could not load this library: x.so; asr doctor checks"),
        (MemoryError(), 1, "asr: out of memory: use a smaller model "),
        (RuntimeError("CUDA out of memory. Tried to allocate"), 1, "asr: out of memory: use a smaller model "),
        (
            torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nSearch for `cudaError'"),
            1,
            "asr: the GPU failed: an illegal memory access was encountered; rerun the same command to resume, or add ",
        ),
        (torch.AcceleratorError("CUDA error: out of memory\n"), 1, "asr: out of memory: use a smaller model "),
        (KeyboardInterrupt(), 130, "asr: Interrupted; rerun the same command to resume"),
    ],
)
def test_an_error_is_one_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch, asr_command: Command, error: BaseException, status: int, line: str
) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fails() -> None:
        raise error

    monkeypatch.setattr(main, "app", app)
    outcome = asr_command()
    assert outcome.status == status
    assert outcome.err.strip().startswith(line)
    assert outcome.err.count("\n") == 1
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("number", "error", "waited", "lines"),
    [
        (0, InputError("no"), 0, 1),
        (1, InputError("no"), 1, 1),
        (0, KeyboardInterrupt(), 0, 1),
        (1, KeyboardInterrupt(), 0, 0),
    ],
)
def test_under_torchrun_process_0_speaks_first(
    number: int,
    error: BaseException,
    waited: int,
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    asr_command: Command,
) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    waits: list[float] = []

    @app.command()
    def fails() -> None:
        raise error

    for name, value in {"RANK": number, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(main, "app", app)
    monkeypatch.setattr(main.time, "sleep", waits.append)
    monkeypatch.setattr(main.os, "_exit", sys.exit)
    outcome = asr_command()
    assert outcome.status == (1 if isinstance(error, InputError) else 130)
    assert outcome.err.count("\n") == lines
    assert waits == [main.FIRST] * waited


def test_ctrl_c_in_compiled_code_is_ctrl_c(monkeypatch: pytest.MonkeyPatch, asr_command: Command) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def searches() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            raise SystemError("CPUDispatcher returned a result with an exception set") from interrupt

    monkeypatch.setattr(main, "app", app)
    outcome = asr_command()
    assert (outcome.status, outcome.err) == (130, f"asr: {main.INTERRUPTED}\n")


def test_a_defect_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fails() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(main, "app", app)
    monkeypatch.setattr(sys, "argv", ["asr"])
    with pytest.raises(RuntimeError, match="a defect"):
        main.main()


def test_a_mistake_leaves_no_traceback_in_a_process_of_its_own(tmp_path: Path) -> None:
    process = python("-m", "asr", "report", str(tmp_path / "none"))
    assert process.returncode == 1
    assert process.stderr == f"asr: {tmp_path / 'none'}: no such folder; give the folder that asr run wrote\n"


def test_a_closed_pipe_is_silent() -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run([sys.executable, "-m", "asr", "--help"], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert process.stderr == b""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["features", "{run}/features", "{out}"],
            "has no {train,dev,test}.cuts.jsonl.gz; name the folder that asr prepare",
        ),
        (
            ["features", "{run}/prepare", "{out}", "--set", "features.bins=3"],
            "--set changes a recipe; give one with --recipe",
        ),
        (["features", "{run}/prepare", "/dev/null/x"], "/dev/null/x: cannot make the folder: "),
        (["train", "{run}/features", "{run}/prepare", "{out}", "--recipe", "{recipe}"], "no such feature archive"),
        (
            ["train", "{run}/prepare", "{run}/features", "{out}", "--recipe", "none.yaml"],
            "none.yaml: cannot read: No such file",
        ),
        (["train", "{run}/prepare", "{run}/features", "/dev/null/x", "--recipe", "{recipe}"], "cannot make the folder"),
        (
            ["train", "{run}/prepare", "{run}/features", "{out}", "--recipe", "{recipe}", "--set", "features.bins=20"],
            "has 40 features a frame, but the recipe's have 20; run asr features again",
        ),
        (["decode", "{run}/prepare", "{run}/train/bundle", "{run}/features", "{out}"], "holds no model bundle"),
        (
            ["decode", "{run}/train/bundle", "{run}/features", "{run}/prepare", "{out}"],
            "train.cuts.jsonl.gz: cannot read",
        ),
        (["decode", "{run}/train/bundle", "{run}/prepare", "{run}/features", "/dev/null/x"], "cannot make the folder"),
        (["score", "none.jsonl", "{run}/decode/test/hypotheses.jsonl"], "none.jsonl: cannot read: No such file"),
        (["score", "{run}/decode/dev/references.jsonl", "{run}/decode/test/hypotheses.jsonl"], "has no hypothesis"),
        (["score", "{run}/decode/test/hypotheses.ctm", "{run}/decode/test/hypotheses.jsonl"], "ctm:1: not valid JSON"),
        (["report", "{run}/train"], "results.json: is missing, so this is not a finished run"),
        (["prepare", "timit", "none", "{out}"], "none: no such folder; give the corpus's folder"),
        (["prepare", "timit", "{run}", "{out}"], "TIMIT is not here: expected "),
    ],
)
def test_folders_in_the_wrong_place_are_one_line(
    tiny_run: Path, tiny_recipe: Path, tmp_path: Path, asr_command: Command, arguments: list[str], message: str
) -> None:
    places = {"{run}": tiny_run, "{out}": tmp_path / "out", "{recipe}": tiny_recipe}

    def filled(text: str) -> str:
        for name, path in places.items():
            text = text.replace(name, str(path))
        return text

    outcome = asr_command(*map(filled, arguments))
    assert outcome.status == 1
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
