"""JSON Lines that grow as files are done, so that an interrupted command can resume."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.storage.files import cannot_write


@dataclass(frozen=True)
class Summary:
    """How many files were done now, were done before, and failed."""

    done: int
    skipped: int
    failed: int


def cut_last_line(path: Path, block: int = 1 << 20) -> None:
    """Removes an incomplete last line, which a crash leaves."""
    with open(path, "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(end - block, 0)
            file.seek(start)
            if (newline := file.read(end - start).rfind(b"\n")) >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)


def append_rows(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Appends a line for each row as it comes; returns how many.

    Raises InputError where it cannot write; the lines written so far stay.
    """
    count = 0
    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as lines:
            for row in rows:
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                lines.flush()
                count += 1
            os.fsync(lines.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error
    return count
