"""JSON Lines that grow as files are done, so that an interrupted command can resume."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count as numbers
from pathlib import Path
from typing import Any

from asr.storage.files import growing_file, make_folder, read_json, rename, write_json
from asr.storage.output_folder import OutputFolder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """How many files were done now, were done before, and failed; and how many outputs in a format were not written."""

    done: int
    skipped: int
    failed: int
    unwritten: int = 0


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

    Raises OutputError where it cannot write; the lines written so far stay.
    """
    count = 0
    with growing_file(path) as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            lines.flush()
            count += 1
    return count


def set_aside(folder: OutputFolder, mark: Path, made_with: dict[str, Any]) -> None:
    """Moves what was written with other models, as `mark` says, into a folder of its own; then writes the mark.

    Files that the user changed stay where they are. Raises InputError if the mark is one of them.
    """
    folder.require_replaceable(mark)
    known = read_json(mark) if mark.is_file() else None
    if known == made_with:
        return
    inside = (path for path in folder.recorded(folder.folder) if not _is_aside(path.relative_to(folder.folder)))
    # The mark is moved last, so that this goes on after a crash.
    if results := sorted((path for path in inside if folder.owns(path)), key=lambda path: path == mark):
        digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:8]
        names = (f"previous-{digest}" + (f"-{number}" if number > 1 else "") for number in numbers(1))
        target = next(path for name in names if not os.path.lexists(path := folder.folder / name))
        for path in results:
            moved = target / path.relative_to(folder.folder)
            make_folder(moved.parent)
            rename(path, moved)
        for top in {path.relative_to(folder.folder).parts[0] for path in results}:
            folder.remove(folder.folder / top)  # only folders that are empty now are left to delete
        log.warning("%s holds results of another model or lexicon; they are now in %s", folder.folder, target.name)
    write_json(mark, made_with)


def _is_aside(inside: Path) -> bool:
    return inside.parts[0].startswith("previous-")
