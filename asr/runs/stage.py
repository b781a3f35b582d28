"""One stage of a run: its folder, and the record that lets it be skipped while nothing it depends on has changed.

The record, stage.json in the stage's folder, is written last. It holds the fingerprint of the inputs and the digest of
each output. Only content counts: a stage whose inputs were made again, byte for byte the same, is still skipped.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asr.version
from asr.errors import InputError
from asr.storage.files import file_digest, files_below, make_folder, owner_of, remove
from asr.storage.json_files import read_json, write_json
from asr.storage.run_layout import CHECKPOINTS, METRICS, RECIPE, SPEED, STATE_ALIGNMENTS, TENSORBOARD

RECORD = "stage.json"
RECORDED = {"fingerprint", "seconds", "outputs", "sizes"}
WORKING_FILES = frozenset({CHECKPOINTS, TENSORBOARD, METRICS, SPEED, RECORD})
"""Later stages never read these, and they may differ between two runs of the same training."""
RESUMED_FROM = WORKING_FILES | {STATE_ALIGNMENTS}
"""What an interrupted stage resumes from, where it still fits."""


@dataclass(frozen=True)
class Stage:
    """A named step that reads `inputs` (stages before it) and `settings`, and writes `folder` by `action`.

    `device`, in words, is recorded and changes nothing. `kept` are the working files without which the stage is not
    complete: where one is lost, the stage runs from scratch.
    """

    name: str
    folder: Path
    inputs: Sequence["Stage"]
    settings: Any
    action: Callable[[], object]
    device: str | None = None
    kept: Sequence[str] = ()

    def fingerprint(self) -> str:
        """Digest of everything this stage depends on. Raises InputError when an earlier stage has not been run."""
        parts = [asr.version.__version__, self.name, self.settings, [stage.outputs() for stage in self.inputs]]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    def outputs(self) -> dict[str, str]:
        """The digest of each file that this stage wrote. Raises InputError when it has not been run."""
        record = self._record()
        if record is None:
            raise InputError(f"stage {self.name} has not been run; run it first, or leave out --stage", self.folder)
        return record["outputs"]

    def seconds(self) -> float:
        """How long the stage took when it last ran."""
        record = self._record()
        return 0.0 if record is None else record["seconds"]

    def recorded_device(self) -> str | None:
        """The device that the stage last ran on; None where that was not recorded."""
        return (self._record() or {}).get("device")

    def is_current(self) -> bool:
        """Whether the stage was finished from the same inputs, and its files are all still there, of the same size."""
        record = self._record()
        if record is None or record["fingerprint"] != self.fingerprint() or self._lost_kept():
            return False
        return _sizes(self.folder, [path for path in self._listed(record) if path.is_file()]) == record["sizes"]

    def require_current(self) -> None:
        """Raises InputError when this stage, or an earlier one, has not been run with the recipe's present settings."""
        for stage in self.inputs:
            stage.require_current()
        self.outputs()
        if not self.is_current():
            raise InputError(
                f"stage {self.name} was run with other settings or inputs; run it again, or leave out --stage",
                self.folder,
            )

    def run(self, from_scratch: bool = False) -> None:
        """Runs the action and records it.

        First removes what an earlier run wrote, except what the action can resume from, unless `from_scratch`. Files of
        the user's in the stage's folder stay. Raises InputError where the folder is a link, and for a file that was
        changed since it was written.
        """
        fingerprint = self.fingerprint()
        if self.folder.is_symlink():
            raise InputError("is a link; asr writes only into folders of its own", self.folder)
        make_folder(self.folder)
        # A finished training would resume after its last epoch and never write the lost metrics.
        self._clear(from_scratch or (self._record() is not None and self._lost_kept()))
        started = time.perf_counter()
        self.action()
        files = [path for path in _written(self.folder) if not _is_among(WORKING_FILES, path, self.folder)]
        record = {
            "fingerprint": fingerprint,
            **({"device": self.device} if self.device else {}),
            "seconds": round(time.perf_counter() - started, 3),
            "outputs": digests(self.folder, files),
            "sizes": _sizes(self.folder, files),
        }
        write_json(self.folder / RECORD, record)

    def _lost_kept(self) -> bool:
        return not all((self.folder / name).is_file() for name in self.kept)

    def _clear(self, everything: bool) -> None:
        for path in _written(self.folder):
            resumable = _is_among(RESUMED_FROM, path, self.folder) and path != self.folder / RECORD
            if (everything or not resumable) and not remove(path):
                raise InputError("was changed since asr wrote it; move it away to run this stage", path)
        for folder in sorted((path for path in self.folder.rglob("*") if path.is_dir()), reverse=True):
            with suppress(OSError):  # one that is not empty stays
                folder.rmdir()

    def _listed(self, record: dict[str, Any]) -> list[Path]:
        return [self.folder / name for name in record["sizes"]]

    def _record(self) -> dict[str, Any] | None:
        """What `run` recorded; None where it did not finish, or where the record is damaged."""
        path = self.folder / RECORD
        try:
            record = read_json(path) if path.is_file() else None
        except InputError:
            return None
        return record if isinstance(record, dict) and record.keys() >= RECORDED else None


def differing_outputs(folder: Path) -> Iterator[InputError]:
    """An error for each output of the stage in `folder` that is missing or has changed since.

    Raises InputError for a damaged record.
    """
    record = read_json(folder / RECORD)
    if not isinstance(record, dict) or not record.keys() >= RECORDED or not isinstance(record["outputs"], dict):
        raise InputError("is damaged; run the stage again", folder / RECORD)
    for name, digest in record["outputs"].items():
        if not (folder / name).is_file():
            yield InputError("is missing; run the stage again", folder / name)
        elif file_digest(folder / name) != digest:
            yield InputError("has changed since its stage wrote it; run the stage again", folder / name)


def digests(folder: Path, files: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of the content of each file, by its path below `folder`."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip((str(path.relative_to(folder)) for path in files), pool.map(file_digest, files), strict=True))


def corpus_digest(folder: Path) -> str:
    """One digest of all files below a corpus's folder, or of one file. Links are followed; hidden files are left out,
    and so is the recipe in a folder from asr prepare, which may be edited.

    Raises InputError when it is not there or cannot be read.
    """
    if folder.is_file():
        return file_digest(folder)
    if not folder.is_dir():
        raise InputError("corpus.dir: no such folder; give the corpus's folder with --set corpus.dir=...", folder)
    files = sorted(path for path in _linked_files(folder) if path != folder / RECIPE)
    return hashlib.sha256(json.dumps(digests(folder, files)).encode()).hexdigest()


def _linked_files(folder: Path) -> Iterator[Path]:
    """The files below a folder, links followed."""
    return (path for path in files_below(folder) if path.is_file())


def _sizes(folder: Path, files: Sequence[Path]) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in files}


def _written(folder: Path) -> list[Path]:
    """The files that a stage wrote, in the run's output folder."""
    owner = owner_of(folder)
    return [] if owner is None else owner.recorded(folder)


def _is_among(names: frozenset[str], path: Path, folder: Path) -> bool:
    """Whether a path below a stage's folder has one of the names, or is in a folder that does."""
    return not names.isdisjoint(path.relative_to(folder).parts)
