"""One process at a time in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asr.errors import InputError
from asr.storage.files import cannot_write, make_folder

LOCK = ".lock"


@contextmanager
def locked(folder: Path, option: str) -> Iterator[None]:
    """Makes the folder and keeps a second process out of it; the system lets go however this process ends.

    Raises InputError, which names the command's `option` for the folder, when another process is in it or it cannot be
    written.
    """
    make_folder(folder)
    try:
        descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InputError(
            f"another asr works in this folder; wait for it, or choose another with {option}", folder
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)
