"""The outputs of a command, replaced as one: the previous ones stay whole until the new ones are in place."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from asr.errors import InputError
from asr.storage.files import make_folder, owner_of, remove, rename

UNFINISHED = ".unfinished"
LEAVING, FORMER = ".leaving", ".former"
"""Where the previous outputs wait: while they are moved there, and once all are, until the new ones are in place."""


@contextmanager
def complete_outputs(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """A folder inside `folder` in which to make files and folders of the `names`. At the end they take the place of the
    previous ones; on an error those stay, and after a kill `restore_outputs` brings them back.

    Raises InputError where something at or below these names is not asr's own.
    """
    restore_outputs(folder, names)
    _require_own(folder, names)
    unfinished = folder / UNFINISHED
    remove(unfinished)
    make_folder(unfinished)
    try:
        yield unfinished
        _require_own(folder, names)
        make_folder(folder / LEAVING)
        _move(folder, folder / LEAVING, names)
        rename(folder / LEAVING, folder / FORMER)
        _move(unfinished, folder, names)
        rename(folder / FORMER, unfinished / FORMER)  # from here on the new ones count
    except BaseException:
        restore_outputs(folder, names)
        raise
    finally:
        remove(unfinished)


def restore_outputs(folder: Path, names: Sequence[str]) -> None:
    """Brings back the previous outputs, where a command was killed while they were being replaced."""
    if (folder / FORMER).is_dir():
        for name in names:
            remove(folder / name)
        rename(folder / FORMER, folder / LEAVING)
    if (folder / LEAVING).is_dir():
        _move(folder / LEAVING, folder, names)
        (folder / LEAVING).rmdir()


def _require_own(folder: Path, names: Sequence[str]) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        raise InputError("is a file in the place of an output folder; move it away", folder)
    owner = owner_of(folder)
    for name in names if owner is not None else ():
        if owner is not None and (foreign := owner.foreign(folder / name)) is not None:
            raise InputError("is not a file that asr wrote, and would be replaced; move it away", foreign)


def _move(source: Path, target: Path, names: Sequence[str]) -> None:
    for name in names:
        if os.path.lexists(source / name):  # a link may lead nowhere
            rename(source / name, target / name)
