"""The results of a folder in the formats that the user chooses: exports of its JSON Lines, which hold them all.

`exports.json` says which formats a folder has, and how each shows the phones; and, with `"complete": false`, which of
them a killed command left with only some of the results:

    {"textgrid": {"phones": "model", "min_score": 0.0}}
"""

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from asr.errors import InputError
from asr.formats.registry import WRITERS, writer
from asr.formats.transcript import Transcript, read_transcripts
from asr.phones.conversion import MODEL, Conversion, conversion
from asr.phones.phone_set import AnyPhoneSet
from asr.recordings.failures import log_failure
from asr.storage.files import output_path, sync, synced_together
from asr.storage.json_files import read_json, write_json
from asr.storage.output_folder import OutputFolder

log = logging.getLogger(__name__)

MARK = "exports.json"


@dataclass(frozen=True)
class View:
    """How exports show a transcript: in which phones (see `conversion`), without those whose score is below a bound."""

    phones: str = MODEL
    min_score: float = 0.0

    def of(self, transcript: Transcript, convert: Conversion | None) -> Transcript:
        """A transcript so shown; `convert` is the `conversion` to its phones."""
        if convert is not None:
            transcript = _converted(transcript, convert)
        if self.min_score > 0:
            kept = [each for each in transcript.phones if each.score is None or each.score >= self.min_score]
            if len(kept) < len(transcript.phones):
                return replace(transcript, phones=kept, intervals=[])
        return transcript


PLAIN = View()
"""The model's phones, all of them."""


class Exports:
    """The formats of an output folder: those that are asked for, and those that it has from before.

    Formats with a file for each utterance are written as the results come (`add`), the others at the end (`finish`).
    One that is new to the folder, or shows the phones in another way than before, is written from all results there.
    """

    def __init__(
        self,
        folder: OutputFolder,
        results: Path,
        formats: Collection[str],
        view: View,
        phone_set: AnyPhoneSet,
        with_intervals: bool = False,
        failed: Callable[[Exception, Path, str], None] = log_failure,
    ) -> None:
        """`results` is the folder's JSON Lines file, with phones of `phone_set`; it may be missing or empty.

        With `with_intervals`, exports have the intervals of the boundaries. `failed` notes what cannot be written: an
        error, its file, and the consequence. Raises InputError for an unknown format,
        and for phones that the results cannot be converted to.
        """
        self._results, self._with_intervals, self._note = results, with_intervals, failed
        former = _former(folder, results.parent / MARK)
        self._folder = folder
        self._views = {name: each for name, (each, _) in former.items()} | dict.fromkeys(formats, view)
        self._conversions = {each: conversion(each.phones, phone_set) for each in self._views.values()}
        empty = not results.is_file() or not results.stat().st_size
        self._current = {name for name, each in self._views.items() if empty or former.get(name) == (each, True)}
        self._each = [name for name in sorted(self._views) if writer(name).per_utterance]
        self._failed: set[tuple[str, str]] = set()
        self._write_mark()

    def add(self, transcript: Transcript) -> None:
        """Writes a new result in the formats that have a file for each utterance; logs an error for each that fails."""
        for name in self._each:
            if name in self._current and not self._write(name, transcript):
                self._failed.add((name, transcript.utterance))

    def finish(self) -> int:
        """Brings all formats up to date with the results; returns how many entries could not be written.

        Each of them is logged as an error.
        """
        missing = len(self._failed)
        for name in sorted(self._views):
            if name in self._each:
                missing += sum(not self._write(name, each) for each in self._waiting(name))
            elif not self._is_copy(name):
                missing += self._write_together(name)
        sync()
        self._current = set(self._views)
        self._write_mark()
        return missing

    def _waiting(self, name: str) -> Iterator[Transcript]:
        """The results whose file in a format is not there, or not as it should be."""
        for transcript in read_transcripts(self._results):
            done = name in self._current and self._is_there(name, transcript.utterance)
            if not done and (name, transcript.utterance) not in self._failed:
                yield transcript

    def _is_there(self, name: str, utterance: str) -> bool:
        try:
            return self._folder.owns(output_path(self._results.parent, writer(name).files(utterance)[0]))
        except (InputError, OSError):  # a name that cannot be written fails again
            return False

    def _is_copy(self, name: str) -> bool:
        """Whether a format would repeat the results as they are."""
        return name == "jsonl" and self._views[name] == PLAIN

    def _write(self, name: str, transcript: Transcript) -> bool:
        """Writes a result in a format; returns False where that failed, which is logged as an error."""
        try:
            with synced_together():
                writer(name).write(self._results.parent, [self._shown(name, transcript)])
        except Exception as error:
            self._note(error, Path(transcript.audio or self._results), f"; its {name} is not written")
            return False
        return True

    def _write_together(self, name: str) -> int:
        """Writes all results into the files of a format; returns how many entries are not in them."""
        form, refused = writer(name), 0

        def fitting() -> Iterator[Transcript]:
            nonlocal refused
            for transcript in read_transcripts(self._results):
                try:
                    shown = self._shown(name, transcript)
                    form.check(shown)
                except InputError as error:
                    self._note(error, Path(transcript.audio or self._results), f"; it is left out of its {name}")
                    refused += 1
                else:
                    yield shown

        try:
            form.write(self._results.parent, fitting())
        except Exception as error:
            self._note(error, self._results.parent / form.files("")[0], f"; its {name} is not written")
            return refused + 1
        return refused

    def _shown(self, name: str, transcript: Transcript) -> Transcript:
        view = self._views[name]
        whole = transcript if self._with_intervals else replace(transcript, intervals=[])
        return view.of(whole, self._conversions[view])

    def _write_mark(self) -> None:
        rows = {name: asdict(self._views[name]) for name in sorted(self._views)}
        for name in rows.keys() - self._current:
            rows[name]["complete"] = False
        write_json(self._results.parent / MARK, rows)


def _converted(transcript: Transcript, convert: Conversion) -> Transcript:
    try:
        return convert(transcript)
    except InputError as error:
        raise InputError(f"utterance {transcript.utterance}: {error}", transcript.audio) from error


def _former(folder: OutputFolder, mark: Path) -> dict[str, tuple[View, bool]]:
    """The formats that a folder has, and whether each is complete. Raises InputError for a mark of the user's."""
    folder.require_replaceable(mark)
    if not mark.is_file():
        return {name: (PLAIN, True) for name in WRITERS if _was_written(folder, name)}
    try:
        return {name: _view(row) for name, row in read_json(mark).items() if name in WRITERS}
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError("does not say how formats show the phones; delete it", mark) from error


def _view(row: dict[str, Any]) -> tuple[View, bool]:
    return View(str(row["phones"]), float(row["min_score"])), bool(row.get("complete", True))


def _was_written(folder: OutputFolder, name: str) -> bool:
    """Whether results were written in a format before there was a mark."""
    first = {PurePosixPath(file).parts[0] for file in writer(name).files("x")}
    return any(path.relative_to(folder.folder).parts[0] in first for path in folder.recorded(folder.folder))
