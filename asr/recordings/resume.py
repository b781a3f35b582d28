"""An output folder that earlier runs have written to: results of other models are moved aside."""

import hashlib
import json
import logging
import os
from itertools import count as numbers
from pathlib import Path
from typing import Any

from asr.storage.files import make_folder, rename
from asr.storage.json_files import read_json, write_json
from asr.storage.output_folder import OutputFolder

log = logging.getLogger(__name__)


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
