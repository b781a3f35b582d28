"""What reaches standard error with and without --verbose and --debug."""

import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from support.commands.asr_command import Command

from asr.cli import main
from asr.errors import InputError

OURS, THEIRS = logging.getLogger("asr.somewhere"), logging.getLogger("library")


@pytest.fixture(autouse=True)
def logging_left_as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("asr")
    handlers, level = list(root.handlers), ours.level
    with warnings.catch_warnings():
        yield
    logging.captureWarnings(False)
    root.handlers, ours.level = handlers, level


@pytest.fixture
def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `asr report` say something at every level, and fail."""

    def report(run: Path) -> None:
        OURS.debug("our detail")
        OURS.info("our news, %d%%", 50)
        try:
            raise ValueError("the cause")
        except ValueError:
            OURS.error("one file of many", exc_info=True)
        THEIRS.info("their news")
        THEIRS.warning("their warning")
        warnings.warn("their deprecation", UserWarning, stacklevel=1)
        raise InputError("is wrong", run)

    monkeypatch.setattr("asr.report.run_files.require_run", report)


def test_news_and_errors_are_shown(talkative: None, asr_command: Command) -> None:
    outcome = asr_command("report", "x")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.splitlines() == ["our news, 50%", "asr: one file of many", "asr: x: is wrong"]


@pytest.mark.parametrize(
    "arguments", [("--verbose", "report", "x"), ("report", "--verbose", "x"), ("report", "x", "--verbose")]
)
def test_verbose_adds_our_details(talkative: None, asr_command: Command, arguments: tuple[str, ...]) -> None:
    lines = asr_command(*arguments).err.splitlines()
    assert lines == ["our detail", "our news, 50%", "asr: one file of many", "asr: x: is wrong"]


@pytest.mark.parametrize("arguments", [("--debug", "report", "x"), ("report", "x", "--debug")])
def test_debug_adds_libraries_and_tracebacks(talkative: None, asr_command: Command, arguments: tuple[str, ...]) -> None:
    lines = asr_command(*arguments).err.splitlines()
    assert {"our detail", "their warning", "ValueError: the cause", "asr.errors.InputError: x: is wrong"} <= set(lines)
    assert any("their deprecation" in line for line in lines)
    assert "their news" not in lines
    assert lines[-1] == "asr: x: is wrong"


def test_each_command_starts_quiet(talkative: None, asr_command: Command) -> None:
    asr_command("report", "x", "--debug")
    assert "our detail" not in asr_command("report", "x").err


def test_what_follows_two_dashes_is_no_option(monkeypatch: pytest.MonkeyPatch, asr_command: Command) -> None:
    app = typer.Typer()

    @app.command()
    def takes(name: str) -> None:
        print(name)

    monkeypatch.setattr(main, "app", app)
    outcome = asr_command("--", "--debug")
    assert (outcome.status, outcome.out) == (0, "--debug\n")


def test_the_library_says_only_warnings() -> None:
    code = "import asr, logging; log = logging.getLogger('asr.x'); log.info('news'); log.warning('careful')"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stderr == "careful\n"


def test_control_characters_in_names_are_visible(asr_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def report(run: Path) -> None:
        OURS.info("speaker %s", "a\x1b[2Jb\nc")
        raise InputError("no such speaker \x1b]0;x\x07")

    app = typer.Typer()
    app.callback()(main.asr_options)
    app.command("report")(report)
    monkeypatch.setattr(main, "app", app)
    assert asr_command("report", "x").err == ("speaker a\\x1b[2Jb\\nc\nasr: no such speaker \\x1b]0;x\\x07\n")
