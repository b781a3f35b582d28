"""The results of a command, a JSON line for each utterance: resumed, completed, and put in the inputs' order."""

import json
import logging
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from asr.errors import InputError
from asr.formats.registry import WRITERS, writer
from asr.recordings.digests import AudioDigests
from asr.recordings.failures import Failures
from asr.recordings.sources import PART, Source
from asr.storage.files import complete_file, growing_file, output_path, owner_of, remove
from asr.storage.json_files import numbered_jsonl, write_jsonl

log = logging.getLogger(__name__)

Row = dict[str, Any]

OTHER = -1
"""The place of a line whose utterance is not among the inputs."""


class Results:
    """A results file and which of the sources it already has.

    A source is done if the line of its name has its content (the SHA-256 of the file, and the part of it) and, by
    `is_current`, nothing else that matters has changed. It does not matter where the file lies: one that was moved is
    done, and its line gets the new path. If the content is another, the source is done again, unless the file of the
    line still lies elsewhere: two recordings of one name are a failure of the second. Lines of a source's recording
    (`recording_name`) that is no longer divided as it was are out of date.
    """

    def __init__(
        self,
        path: Path,
        sources: Sequence[Source],
        digests: AudioDigests,
        failures: Failures,
        is_current: Callable[[Row, Source], bool] = lambda row, source: True,
    ) -> None:
        """Removes an incomplete last line and lines that are out of date, with the files made of them.

        Raises InputError where `path` is a file of the user's in an output folder.
        """
        if (owner := owner_of(path)) is not None:
            owner.require_replaceable(path)
        self.path, self.sources = path, sources
        self.skipped = self.added = 0
        self._closed: set[int] = set()
        self._taken: set[str] = set()  # names of recordings
        self._places = array("q")
        if not path.is_file():
            return
        _cut_last_line(path)
        from asr.formats.speakers import recording_name

        numbers = {source.utterance: number for number, source in enumerate(sources)}
        names = [recording_name(source.utterance, source.speaker) for source in sources]
        recordings = {name: number for number, name in enumerate(names)}
        changed: dict[int, Row | None] = {}
        outdated: list[str] = []
        for line, row in numbered_jsonl(path):
            name, speaker = str(row.get("utterance")), row.get("speaker")
            recording = recording_name(name, None if speaker is None else str(speaker))
            number = numbers.get(name, OTHER)
            if (of := numbers.get(name, recordings.get(recording, OTHER))) != OTHER:
                known = self._is_known(row, recording, sources[of], digests, failures, is_current)
                if known is None or known != row:
                    changed[line] = known
                if known is None:
                    outdated.append(name)
                    continue
            if number != OTHER:
                self._closed.add(number)
            self._places.append(number)
        self._closed.update(number for number, name in enumerate(names) if name in self._taken)
        if changed:
            _remove_outputs(path.parent, outdated)
            rows = (changed.get(line, row) for line, row in numbered_jsonl(path))
            write_jsonl(path, (row for row in rows if row is not None))

    def _is_known(
        self,
        row: Row,
        recording: str,
        source: Source,
        digests: AudioDigests,
        failures: Failures,
        is_current: Callable[[Row, Source], bool],
    ) -> Row | None:
        """The line as it stays, of a source or of its recording; None where it is out of date."""
        audio = row.get("audio")
        try:
            same = row.get("sha256") == digests.of(source.path)
        except InputError as error:
            failures.add(error, source.path)  # its drive may be away: what is known of it stays
            return row
        if not same and audio != str(source.path) and isinstance(audio, str) and os.path.lexists(audio):
            if recording not in self._taken:
                taken = f"{self.path} already has a result of {audio} named {recording}"
                failures.add(InputError(f"{taken}; choose another folder with --out", source.path), source.path)
            self._taken.add(recording)
            return row
        part = {key: row[key] for key in PART if key in row}
        if same and row.get("utterance") == source.utterance and part == source.part and is_current(row, source):
            self.skipped += 1
            return row | {"audio": str(source.path)}
        return None

    def waiting(self) -> Iterator[Source]:
        """The sources that are not done, in order."""
        return (source for number, source in enumerate(self.sources) if number not in self._closed)

    @property
    def remaining(self) -> int:
        """How many sources are not done."""
        return len(self.sources) - len(self._closed)

    def append(self, rows: Iterable[tuple[Source, Row]]) -> None:
        """Appends a line for each source as it comes, in the sources' order, and then puts all lines in that order.

        Raises OutputError where it cannot write; the lines written so far stay.
        """
        numbers = {source.utterance: number for number, source in enumerate(self.sources)}
        with growing_file(self.path) as lines:
            for source, row in rows:
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                lines.flush()
                self._places.append(numbers[source.utterance])
                self.added += 1
        self._put_in_order()

    def _put_in_order(self) -> None:
        """The lines of the sources in their order, after those of others."""
        places = [place for place in self._places if place != OTHER]
        if places == sorted(places):
            return
        with open(self.path, "rb") as file:
            begins, at = array("q"), 0
            for line in file:
                if line.strip():
                    begins.append(at)
                at += len(line)
            with complete_file(self.path, "wb") as ordered:
                for _, begin in sorted(zip(self._places, begins, strict=True)):
                    file.seek(begin)
                    ordered.write(file.readline())


def _remove_outputs(folder: Path, utterances: Sequence[str]) -> None:
    """Removes the files that were made of lines that are out of date."""
    for name in WRITERS:
        form = writer(name)
        if form.per_utterance:
            for file in (file for utterance in utterances for file in form.files(utterance)):
                with suppress(InputError):  # a name that leads out of the folder was never written
                    remove(output_path(folder, file))


def _cut_last_line(path: Path, block: int = 1 << 20) -> None:
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
