"""One process at a time in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from asr.errors import InputError
from asr.storage.files import cannot_write, make_folder

LOCK = ".lock"


@contextmanager
def locked(folder: Path, option: str) -> Iterator[None]:
    """Makes the folder and keeps other processes out of it; the system releases the lock however this process ends.

    `option` is how the command line chooses the folder, for the message. Raises InputError when another process is
    using the folder, or it cannot be written.
    """
    make_folder(folder)
    lock = FileLock(folder / LOCK, blocking=False, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        message = f"Another asr process is using this folder; wait for it, or choose another with {option}"
        raise InputError(message, folder) from error
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()
