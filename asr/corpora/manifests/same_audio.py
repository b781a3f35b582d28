"""Which audio files have the same content, under any name."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from asr.errors import InputError
from asr.storage.files import file_digest


def contents(paths: Iterable[str]) -> dict[str, str]:
    """For each file a text that is the same for files of the same content. Only files of equal size are read, and links
    once.

    Raises InputError for a file that cannot be read.
    """
    files: dict[tuple[int, int], list[str]] = defaultdict(list)
    sizes: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for path in dict.fromkeys(paths):
        try:
            status = os.stat(path)  # noqa: PTH116 - a Path for each of a million files takes seconds
        except OSError as error:
            raise InputError(f"cannot read: {error.strerror}", path) from error
        identity = status.st_dev, status.st_ino
        files[identity].append(path)
        sizes[status.st_size].add(identity)
    found = {}
    for size, alike in sizes.items():
        for identity in alike:
            names = files[identity]
            content = file_digest(Path(names[0])) if len(alike) > 1 else f"the only one of {size} bytes"
            found.update(dict.fromkeys(names, content))
    return found
