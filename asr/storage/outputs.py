"""The outputs of a command in a folder, replaced together: the previous ones stay until the new ones are complete."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from asr.errors import InputError
from asr.storage.files import make_folder

UNFINISHED = ".unfinished"
LEAVING, FORMER = ".former.part", ".former"
"""Where the previous outputs wait: until all are moved there, and then until the new ones are in place."""


@contextmanager
def complete_outputs(folder: Path, names: Sequence[str], witness: str) -> Iterator[Path]:
    """Yields a folder inside `folder` in which to make the files and folders called `names`.

    At the end they replace the previous ones; on an error those stay, and after a kill `restore_outputs` brings them
    back. Raises InputError where one of the names exists but `witness`, which the command always writes, does not: then
    something else wrote it.
    """
    restore_outputs(folder, names)
    if not (folder / witness).is_file():
        for name in names:
            if (folder / name).exists():
                raise InputError(
                    "was not written by this command and would be replaced; choose another folder", folder / name
                )
    unfinished = folder / UNFINISHED
    _remove(unfinished)
    make_folder(unfinished)
    try:
        yield unfinished
        (folder / LEAVING).mkdir()
        _move(folder, folder / LEAVING, names)
        (folder / LEAVING).rename(folder / FORMER)
        _move(unfinished, folder, names)
        (folder / FORMER).rename(unfinished / FORMER)  # from here on the new ones are kept
    except BaseException:
        restore_outputs(folder, names)
        raise
    finally:
        _remove(unfinished)


def restore_outputs(folder: Path, names: Sequence[str]) -> None:
    """Brings back the previous outputs, where a command was killed while it was replacing them."""
    if (folder / FORMER).is_dir():
        for name in names:
            _remove(folder / name)
        (folder / FORMER).rename(folder / LEAVING)
    if (folder / LEAVING).is_dir():
        _move(folder / LEAVING, folder, names)
        (folder / LEAVING).rmdir()


def _move(source: Path, target: Path, names: Sequence[str]) -> None:
    for name in names:
        if os.path.lexists(source / name):  # a link may lead nowhere
            (source / name).rename(target / name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
