"""Outputs that are replaced together: all of the previous or all of the new, whatever interrupts."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.commands.outputs import NAMES, write_new

from asr.errors import InputError
from asr.storage.files import write_text
from asr.storage.lock import LOCK
from asr.storage.output_folder import output_folder
from asr.storage.output_record import RECORD
from asr.storage.outputs import complete_outputs

DIES = """
import os, sys
from pathlib import Path
from support.commands.outputs import write_new
left, rename = int(sys.argv[2]), Path.rename
def rename_or_die(self, target):
    global left
    if left == 0:
        os._exit(9)
    left -= 1
    return rename(self, target)
Path.rename = rename_or_die
write_new(Path(sys.argv[1]))
"""
OLD = {"bundle/model": "old", "test/text": "old", "speed.json": "old", "tuning.json": "old", "mine": "mine"}
NEW = {"bundle/model": "new", "speed.json": "new", "mine": "mine"}


def write_old(folder: Path) -> None:
    with output_folder(folder, "decode", "OUT"):
        for name, text in OLD.items():
            write_text(folder / name, text)


def held(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in (RECORD, LOCK))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def fail(folder: Path) -> None:
    with (
        output_folder(folder, "decode", "OUT"),
        pytest.raises(ValueError, match="not today"),
        complete_outputs(folder, NAMES),
    ):
        raise ValueError("not today")


@pytest.mark.parametrize("renames", range(9))
def test_killed_at_any_rename_the_next_command_finds_all_of_one_kind(tmp_path: Path, renames: int) -> None:
    write_old(tmp_path)
    killed = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path), str(renames)], cwd=Path(__file__).parents[1], check=False
    ).returncode
    assert killed == (9 if renames < 8 else 0)  # four moved out, two marks, two moved in
    fail(tmp_path)
    assert held(tmp_path) == (NEW if renames >= 8 else OLD)
    assert {path.name for path in tmp_path.glob(".*")} <= {RECORD, LOCK}


@pytest.mark.parametrize("renames", range(8))
def test_interrupted_at_any_rename_all_is_as_it_was(
    tmp_path: Path, renames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_old(tmp_path)
    left, rename = [renames], Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] == -1:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_new(tmp_path)
    assert held(tmp_path) == OLD
    assert {path.name for path in tmp_path.glob(".*")} <= {RECORD, LOCK}


def test_what_the_user_wrote_is_not_replaced(tmp_path: Path) -> None:
    write_old(tmp_path)
    (tmp_path / "test" / "mine.wav").write_text("mine")
    before = held(tmp_path)
    with pytest.raises(InputError, match=r"test/mine\.wav: is not a file that asr wrote, and would be replaced"):
        write_new(tmp_path)
    assert held(tmp_path) == before


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    write_old(folder)
    (folder / "test").rename(elsewhere)
    (folder / "test").symlink_to(elsewhere)
    with pytest.raises(InputError, match="test: is not a file that asr wrote"):
        write_new(folder)
    assert held(elsewhere) == {"text": "old"}
