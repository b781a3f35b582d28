"""One process at a time in a folder, however the others end."""

import subprocess
import sys
from pathlib import Path

import pytest

from asr.errors import InputError
from asr.storage.lock import locked

HOLD = """\
import sys, time
from pathlib import Path
from asr.storage.lock import locked
with locked(Path(sys.argv[1]), "--out"):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(InputError, match=r"Another asr process .* choose another with --here"):
            locked(folder, "--here").__enter__()
        process.kill()
    with locked(folder, "--out"):
        assert [path.name for path in folder.iterdir()] == [".lock"]


def test_an_error_inside_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), locked(tmp_path, "--out"):
        raise ValueError("inside")
    with locked(tmp_path, "--out"):
        pass


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with locked(tmp_path, "--out"), pytest.raises(InputError, match="Another asr process"):
        locked(tmp_path, "--out").__enter__()


def test_a_lock_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(InputError, match="cannot write"):
        locked(tmp_path, "--out").__enter__()
