"""Help texts need none of the libraries that work needs, so that they are there at once."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "torch", "lhotse", "numba", "librosa", "soundfile", "matplotlib", "yaml", "rich", "asr.config")
COMMANDS = (
    ("run",),
    ("features",),
    ("train",),
    ("decode",),
    ("score",),
    ("report",),
    ("compare",),
    ("transcribe",),
    ("align",),
    ("doctor",),
    ("prepare",),
    ("prepare", "timit"),
    ("model",),
    ("model", "show"),
    ("recipe",),
    ("recipe", "settings"),
)

SHOW = """
import sys
from asr.cli.main import main
sys.argv = ["asr", *{arguments!r}, "--help"]
try:
    main()
except SystemExit as leaving:
    assert not leaving.code, leaving.code
print("loaded:", *sorted(set({heavy!r}) & sys.modules.keys()))
"""


def loaded(code: str) -> tuple[str, str]:
    """What a Python of its own prints, and which of the libraries it loaded."""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    text, _, names = printed.rpartition("loaded:")
    return text, names.strip()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_of_a_command(command: tuple[str, ...]) -> None:
    text, names = loaded(SHOW.format(arguments=command, heavy=HEAVY))
    assert "Usage:" in text
    assert names == ""


def test_help_of_all_commands() -> None:
    text, names = loaded(SHOW.format(arguments=(), heavy=(*HEAVY, "pydantic")))
    assert all(command[0] in text for command in COMMANDS)
    assert "..." not in text.partition("Commands:")[2], "a summary is cut short"
    assert names == ""


def test_importing_the_package_loads_nothing() -> None:
    _, names = loaded(
        f"import sys, asr; print('loaded:', *set({(*HEAVY, 'pydantic', 'typer')!r}) & sys.modules.keys())"
    )
    assert names == ""
