"""The outputs of a command in a folder, replaced as one: those of before stay whole until the new ones are."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from asr.errors import InputError
from asr.storage.files import make_folder

UNFINISHED = ".unfinished"
LEAVING, FORMER = ".former.part", ".former"
"""Where the outputs of before wait: while they are moved there, and once all are, until the new ones are in place."""


@contextmanager
def complete_outputs(folder: Path, names: Sequence[str], witness: str) -> Iterator[Path]:
    """A folder inside `folder` in which to make files and folders of the `names`. At the end they take the place of
    those of before; on an error those stay, and after a kill `restore_outputs` brings them back.

    Raises InputError where there is something of these names that no such command wrote: there is no `witness`, which
    each writes.
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
        (folder / FORMER).rename(unfinished / FORMER)  # from here on the new ones count
    except BaseException:
        restore_outputs(folder, names)
        raise
    finally:
        _remove(unfinished)


def restore_outputs(folder: Path, names: Sequence[str]) -> None:
    """Brings back the outputs of before, where a command was killed while these were on their way out."""
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
