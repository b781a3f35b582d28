"""Recordings that a list names: a CSV, TSV or JSON Lines file, a Lhotse manifest, or a Kaldi data folder.

A CSV or TSV file has a header. A line of it, or of a JSON Lines file, has the path of an audio file, and may have the
utterance's name, start and duration or end of a part (s), channel (from 0), transcript, and what a corpus needs: see
COLUMNS. Lhotse's cuts and recordings (.jsonl or .jsonl.gz), and Kaldi's wav.scp with or without segments, have them
too. A relative path is taken from the list's folder or, if there is no such file, from the current folder.
"""

import csv
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

from asr.corpora.kaldi_files import Entry, read_entries
from asr.errors import InputError, listed
from asr.storage.files import json_rows
from asr.storage.text import read_packed_lines

COLUMNS = {
    "path": ("path", "audio", "file", "audio_filepath", "audio_path", "audio_file", "file_name", "filename", "wav"),
    "utterance": ("utterance", "utterance_id", "utt_id", "utt", "id"),
    "start": ("start", "offset", "start_time", "begin"),
    "duration": ("duration", "dur"),
    "end": ("end", "end_time", "stop"),
    "channel": ("channel",),
    "text": ("text", "transcript", "transcription", "sentence"),
    "phones": ("phones", "phonemes", "phone"),
    "speaker": ("speaker", "speaker_id", "spk", "client_id"),
    "gender": ("gender", "sex"),
    "split": ("split", "subset", "partition", "set"),
}
"""The names of each column; the first that a list has counts. NeMo's and Hugging Face's are among them."""

TABLES = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson")
WAV_SCP = "wav.scp"


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording as it is given, before it has a name: the absolute path of its file, and the part of it.

    `label` is what names it: its path as it was given, or below a folder; a list may give its `utterance`. `split` says
    that its name has its channel. `phones`, their `times` (s), `speaker`, `gender` and `subset` (train, dev or test)
    are for corpora.
    """

    path: str
    start: float = 0.0
    duration: float | None = None
    channel: int | None = None
    text: str | None = None
    utterance: str | None = None
    label: str = ""
    split: bool = False
    phones: tuple[str, ...] = ()
    times: tuple[tuple[float, float], ...] = ()
    speaker: str | None = None
    gender: str | None = None
    subset: str | None = None

    MOST_NAMES: ClassVar[int] = 3

    @property
    def identity(self) -> object:
        """Equal for what is the same part of the same file under the same name."""
        if self.utterance is None and self.channel is None and not self.start and self.duration is None:
            return self.path
        return self.path, self.start, self.duration, self.channel, self.utterance

    def name(self, choice: int) -> str:
        """Names from short to long: without the suffix, with it, and with the whole path."""
        if self.utterance is not None and choice < 2:
            name = self.utterance
        elif choice < 2:
            name = _without_suffix(self.label) if choice == 0 else self.label
            if self.start or self.duration is not None:
                end = "end" if self.duration is None else f"{self.start + self.duration:.3f}"
                name += f"-{self.start:.3f}-{end}"
        else:
            part = () if self.start == 0 and self.duration is None else (f"{self.start}", f"{self.duration}")
            name = "-".join([self.path[1:], *part, *([self.utterance] if self.utterance else [])])
        return f"{name}-channel{self.channel}" if self.split or (choice == 2 and self.channel is not None) else name


def _without_suffix(name: str) -> str:
    path = Path(name)
    return str(path.with_suffix("")) if path.stem.strip(".") else name  # `..wav` would become the folder `.`


def is_list(path: Path) -> bool:
    """Whether an input is a list, by its suffix, or a Kaldi data folder."""
    return path.name.lower().endswith((*TABLES, *JSON_LINES)) or _wav_scp(path) is not None


def read_list(path: Path) -> Iterator[tuple[int, Listed]]:
    """The recordings of a list, in its order, with their lines. Raises InputError with the line that is wrong."""
    for line, _, item in list_rows(path):
        if isinstance(item, InputError):
            raise item
        yield line, item


def list_rows(path: Path) -> Iterator[tuple[int, str, Listed | InputError]]:
    """As `read_list`, with the error in the place of a recording whose line is wrong, and before it its name (in a
    table, the file and the line).

    Raises InputError where what follows cannot be read either: after a quote that is not closed.
    """
    names: set[str] = set()
    for line, name, read in _read(path):
        name = name or f"{path.name}:{line}"
        try:
            item = read()
            if item.utterance in names:
                raise InputError(f"utterance {item.utterance!r} is already on an earlier line; rename one", path, line)
        except InputError as error:
            yield line, name, error
            continue
        if item.utterance is not None:
            names.add(item.utterance)
        yield line, name, item


_Rows = Iterator[tuple[int, str, Callable[[], Listed]]]
"""The line of each recording, its name if that is known, and a function that reads it, which may raise InputError."""


def _raise(error: InputError) -> Listed:
    raise error


def _read(path: Path) -> _Rows:
    if (wav_scp := _wav_scp(path)) is not None:
        yield from _kaldi(wav_scp)
    elif (delimiter := TABLES.get(path.suffix.lower())) is not None:
        yield from _table(path, delimiter)
    else:
        yield from _json_lines(path)


def _wav_scp(path: Path) -> Path | None:
    inside = path if path.name == WAV_SCP else path / WAV_SCP
    return inside if os.path.isfile(inside) else None  # noqa: PTH113 - Path.is_file may raise


def _table(path: Path, delimiter: str) -> _Rows:
    lines = (f"{line}\n" for _, line in read_packed_lines(path, fallback=True))
    first = next(lines, "")
    if delimiter == ",":
        delimiter = max(",;\t", key=first.count)
    columns = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter), [])]
    if twice := next((name for name in columns if name and columns.count(name) > 1), None):
        raise InputError(f"has two columns {twice!r}; rename one", path, 1)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 2
    try:
        for row in rows:
            filled = {name: cell.strip() for name, cell in zip(columns, row, strict=False) if cell.strip()}
            if any(cell.strip() for cell in row[len(columns) :]):
                message = (
                    f"has {len(row)} cells, and the header {len(columns)}; quote a cell that has {delimiter!r} in it"
                )
                yield line, "", partial(_raise, InputError(message, path, line))
            elif filled:
                yield line, "", partial(_row, filled, path, line, columns)
            line = rows.line_num + 2
    except csv.Error as error:
        message = f"cannot be read from here on: {error}; close each quote, and double one inside a quoted cell"
        raise InputError(message, path, line) from error


def _json_lines(path: Path) -> _Rows:
    for number, row in json_rows(read_packed_lines(path), path):
        if isinstance(row, InputError):
            yield number, "", partial(_raise, row)
        elif "recording" in row or "tracks" in row:
            yield number, "", partial(_cut, row, path, number)
        elif "sources" in row:
            yield number, "", partial(_recording, row, path, number)
        else:
            yield number, "", partial(_row, {key.lower(): row[key] for key in row}, path, number, list(row))


def _row(row: dict[str, Any], path: Path, line: int, known: list[str]) -> Listed:
    """A line of a table or of a JSON Lines file."""
    cells = {
        column: next((row[name] for name in names if row.get(name) not in (None, "")), None)
        for column, names in COLUMNS.items()
    }
    if not isinstance(cells["path"], str):
        expected = ", ".join(COLUMNS["path"])
        raise InputError(f"no audio file on this line: it needs one of {expected}; it has {listed(known)}", path, line)
    start, end, duration = (_seconds(cells[name], name, path, line) for name in ("start", "end", "duration"))
    if start is None and end is None:
        duration = None  # that of the whole file
    if end is not None:
        duration = end - (start or 0.0)
    if duration is not None and duration <= 0:
        raise InputError(f"its part of {duration:g} s is empty; correct start and end", path, line)
    channel = cells["channel"]
    if channel is not None and not (isinstance(channel, int | str) and str(channel).isdecimal()):
        raise InputError(f"channel {channel!r} is not a number from 0; correct it", path, line)
    given, name, text = cells["path"], cells["utterance"], cells["text"]
    phones, times = _phones(cells["phones"], path, line)
    speaker, gender, subset = (
        None if cells[key] is None else str(cells[key]) for key in ("speaker", "gender", "split")
    )
    return Listed(
        located(given, path),
        start or 0.0,
        duration,
        None if channel is None else int(channel),
        text if isinstance(text, str) else None,
        None if name is None else str(name),
        os.path.basename(given) if os.path.isabs(given) else os.path.normpath(given),  # noqa: PTH117, PTH119
        split=channel is not None and name is None,
        phones=phones,
        times=times,
        speaker=speaker,
        gender=gender,
        subset=subset,
    )


def _phones(value: object, path: Path, line: int) -> tuple[tuple[str, ...], tuple[tuple[float, float], ...]]:
    """Phones as a text with spaces between them, or as a list of them or of objects with a `phone`; and their times, if
    all have `start` and `end`."""
    items = value.split() if isinstance(value, str) else value or []
    rows = [each if isinstance(each, dict) else {"phone": each} for each in items] if isinstance(items, list) else [{}]
    phones = tuple(row["phone"] for row in rows if isinstance(row.get("phone"), str))
    if len(phones) < len(rows):
        raise InputError("phones are not a text or a list of texts; write them with spaces between them", path, line)
    given = [[_seconds(row.get(key), key, path, line) for key in ("start", "end")] for row in rows]
    times = tuple((start, end) for start, end in given if start is not None and end is not None)
    return phones, times if len(times) == len(phones) else ()


def _seconds(value: object, name: str, path: Path, line: int) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(str(value).replace(",", "."))
        if not 0 <= seconds < 1e9:
            raise ValueError
    except ValueError:
        raise InputError(f"{name} {value!r} is not a number of seconds from 0 on; correct it", path, line) from None
    return seconds


def _cut(row: dict[str, Any], path: Path, line: int) -> Listed:
    """A cut of Lhotse's."""
    if "tracks" in row or not isinstance(row.get("recording"), dict):
        raise InputError("a mixed cut, or one without a recording, cannot be read; save its audio first", path, line)
    channel = row.get("channel", 0)
    if isinstance(channel, list) and len(channel) == 1:
        channel = channel[0]
    try:
        recording = row["recording"]
        start, duration = float(row["start"]), float(row["duration"])
        whole = start == 0 and abs(duration - float(recording["duration"])) < 1e-3
        texts = [each["text"] for each in row.get("supervisions") or () if each.get("text")]
        file, inside = lhotse_file(recording, channel, path, line)
        part = None if whole else duration
        return Listed(file, start, part, inside, " ".join(texts) or None, str(row["id"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a Lhotse cut: {error}", path, line) from error


def _recording(row: dict[str, Any], path: Path, line: int) -> Listed:
    """A recording of Lhotse's."""
    try:
        return Listed(lhotse_file(row, None, path, line)[0], utterance=str(row["id"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a Lhotse recording: {error}", path, line) from error


def lhotse_file(recording: dict[str, Any], channel: object, path: Path, line: int) -> tuple[str, int | None]:
    """The file of a Lhotse recording that has a channel (None: any), and the channel's place in it; None where the file
    has no other.

    Raises InputError for what is not a single file.
    """
    sources = [each for each in recording["sources"] if channel in (None, *each["channels"])]
    if isinstance(channel, list) or len(sources) != 1 or recording.get("transforms"):
        raise InputError("not a single file without transforms; save its audio first", path, line)
    [source] = sources
    if source["type"] != "file":
        raise InputError(f"its audio is a {source['type']}, which is not run or fetched; save it first", path, line)
    channels = source["channels"]
    inside = None if channel is None or len(channels) == 1 else channels.index(channel)
    return located(str(source["source"]), path), inside


def _kaldi(wav_scp: Path) -> _Rows:
    """The utterances of a Kaldi data folder: those of `segments`, or whole recordings; with `text` and speaker."""
    folder = wav_scp.parent
    tables = _KaldiTables(
        wav_scp,
        read_entries(wav_scp),
        *(_optional_table(folder / name) for name in ("text", "utt2spk", "spk2gender")),
    )
    segments = folder / "segments"
    read = partial(tables.segment, segments) if segments.is_file() else tables.recording
    entries = read_entries(segments) if segments.is_file() else tables.recordings
    for number, (name, entry) in enumerate(entries.items(), start=1):
        if isinstance(entry, InputError):
            yield number, name, partial(_raise, entry)
        else:
            yield entry.line, name, partial(read, name, entry)


_Table = Mapping[str, Entry | InputError]


@dataclass(frozen=True)
class _KaldiTables:
    """The tables of a Kaldi data folder, and how its utterances are read from them."""

    wav_scp: Path
    recordings: _Table
    texts: _Table
    speakers: _Table
    genders: _Table

    @cached_property
    def _files(self) -> dict[str, str]:
        return {}

    def recording(self, name: str, entry: Entry) -> Listed:
        """A whole recording as an utterance."""
        return self._listed(name, name, 0.0, None, None)

    def segment(self, segments: Path, name: str, entry: Entry) -> Listed:
        """An utterance of `segments`."""
        recording, *times = entry.value.split()
        if recording not in self.recordings or len(times) < 2:
            message = f"expected a recording of wav.scp, start and end, not {entry.value!r}"
            raise InputError(message, segments, entry.line)
        start = _seconds(times[0], "start", segments, entry.line) or 0.0
        end = None if times[1] == "-1" else _seconds(times[1], "end", segments, entry.line)
        if end is not None and end <= start:
            raise InputError(f"its end {end:g} s is not after its start {start:g} s", segments, entry.line)
        channel = int(times[2]) if len(times) > 2 and times[2].isdecimal() else None
        return self._listed(name, recording, start, None if end is None else end - start, channel)

    def _listed(self, name: str, recording: str, start: float, duration: float | None, channel: int | None) -> Listed:
        if recording not in self._files:
            self._files[recording] = _kaldi_file(_found(self.recordings, recording), self.wav_scp)
        speaker = _value(self.speakers, name)
        return Listed(
            self._files[recording],
            start,
            duration,
            channel,
            _value(self.texts, name),
            name,
            speaker=speaker,
            gender=None if speaker is None else _value(self.genders, speaker),
        )


def _kaldi_file(entry: Entry, wav_scp: Path) -> str:
    if entry.value.endswith("|"):
        message = (
            "is a command, which is not run; save its output as an audio file and name that, or name its own "
            "input: SPHERE, FLAC and MP3 are read as they are"
        )
        raise InputError(f"{entry.value!r} {message}", wav_scp, entry.line)
    place = located(entry.value, wav_scp)
    file, _, offset = entry.value.rpartition(":")
    if offset.isdecimal() and file and not os.path.exists(place):  # noqa: PTH110
        raise InputError(f"{entry.value!r} is a place in an archive; name audio files", wav_scp, entry.line)
    return place


def _optional_table(path: Path) -> _Table:
    return read_entries(path) if path.is_file() else {}


def _found(table: _Table, name: str) -> Entry:
    """The entry of a name that is in the table. Raises InputError for a broken one."""
    if isinstance(entry := table[name], InputError):
        raise entry
    return entry


def _value(table: _Table, name: str) -> str | None:
    return _found(table, name).value if name in table else None


def located(name: str, path: Path) -> str:
    """The absolute path of a file in a list; the one next to the list where there is none."""
    beside, here = os.path.abspath(path.parent / name), os.path.abspath(name)  # noqa: PTH100 - links are kept
    return here if not os.path.lexists(beside) and os.path.lexists(here) else beside
