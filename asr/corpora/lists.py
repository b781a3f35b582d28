"""Recordings that a list names: a CSV, TSV or JSON Lines file, a Lhotse manifest, or a Kaldi data folder.

A CSV or TSV file has a header. A line of it, or of a JSON Lines file, has the path of an audio file, and may have the
utterance's name, start and duration or end of a part (s), channel (from 0), transcript, and what a corpus needs: see
COLUMNS. Lhotse's cuts and recordings (.jsonl or .jsonl.gz), and Kaldi's wav.scp with or without segments, have them
too. A relative path is taken from the list's folder or, if there is no such file, from the current folder.
"""

import csv
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from asr.corpora.kaldi_folder import find_wav_scp, kaldi_rows
from asr.corpora.list_row import Listed, Rows, label_of, located, read_seconds
from asr.corpora.sph2pipe import sphere_file
from asr.errors import InputError, listed, refuse
from asr.storage.json_files import json_rows
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
_SEPARATOR = re.compile(r'"?sep=(.)"?[\s,;]*', re.IGNORECASE)
"""The line before the header that tells Excel what separates the cells."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson")


def is_list(path: Path) -> bool:
    """Whether an input is a list, by its suffix, or a Kaldi data folder."""
    return path.name.lower().endswith((*TABLES, *JSON_LINES)) or find_wav_scp(path) is not None


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


def _read(path: Path) -> Rows:
    if (wav_scp := find_wav_scp(path)) is not None:
        yield from kaldi_rows(wav_scp)
    elif (delimiter := TABLES.get(path.suffix.lower())) is not None:
        yield from _table(path, delimiter)
    else:
        yield from _json_lines(path)


def _table(path: Path, delimiter: str) -> Rows:
    numbered = read_packed_lines(path, fallback=True)
    header, first = next(((number, line) for number, line in numbered if line.strip()), (1, ""))
    if given := _SEPARATOR.fullmatch(first):
        header, first = next(numbered, (header, ""))
    lines = (f"{line}\n" for _, line in numbered)
    if delimiter == ",":
        delimiter = given[1] if given else max(",;\t|", key=first.count)
    columns = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter), [])]
    if twice := next((name for name in columns if name and columns.count(name) > 1), None):
        raise InputError(f"has two columns {twice!r}; rename one", path, header)
    if first and not set(columns).intersection(COLUMNS["path"]):
        message = f"has no column of audio files: the first line needs one of {', '.join(COLUMNS['path'])}; it has "
        raise InputError(message + listed(columns), path, header)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    line = header + 1
    try:
        for row in rows:
            filled = {name: cell.strip() for name, cell in zip(columns, row, strict=False) if cell.strip()}
            if any(cell.strip() for cell in row[len(columns) :]):
                message = (
                    f"has {len(row)} cells, and the header {len(columns)}; quote a cell that has {delimiter!r} in it"
                )
                yield line, "", partial(refuse, InputError(message, path, line))
            elif filled:
                yield line, "", partial(_row, filled, path, line, columns)
            line = rows.line_num + header + 1
    except csv.Error as error:
        message = f"cannot be read from here on: {error}; close each quote, and double one inside a quoted cell"
        raise InputError(message, path, line) from error


def _json_lines(path: Path) -> Rows:
    for number, row in json_rows(read_packed_lines(path), path):
        if isinstance(row, InputError):
            yield number, "", partial(refuse, row)
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
    if isinstance(cells["path"], dict):
        cells["path"] = cells["path"].get("path")  # Hugging Face's audio
    if not isinstance(cells["path"], str):
        expected = ", ".join(COLUMNS["path"])
        raise InputError(f"no audio file on this line: it needs one of {expected}; it has {listed(known)}", path, line)
    if _ADDRESS.match(cells["path"]):
        raise InputError(f"{cells['path']!r} is an address; download the file, and name it", path, line)
    start, end, duration = (read_seconds(cells[name], name, path, line) for name in ("start", "end", "duration"))
    if start is None and end is None:
        duration = None  # that of the whole file
    if end is not None:
        duration = end - (start or 0.0)
    if duration is not None and duration <= 0:
        raise InputError(f"its part of {duration:g} s is empty; correct start and end", path, line)
    channel = cells["channel"]
    if channel is not None and not (isinstance(channel, int | str) and str(channel).isdecimal()):
        raise InputError(f"channel {channel!r} is not a number from 0; correct it", path, line)
    given, file = _slashed(cells["path"], path)
    phones, times = _phones(cells["phones"], path, line)
    name, text, speaker, gender, subset = (
        _text(cells[key], key, path, line) for key in ("utterance", "text", "speaker", "gender", "split")
    )
    return Listed(
        file,
        start or 0.0,
        duration,
        None if channel is None else int(channel),
        text,
        name,
        label_of(given),
        split=channel is not None and name is None,
        phones=phones,
        times=times,
        speaker=speaker,
        gender=gender,
        subset=subset,
    )


def _slashed(given: str, path: Path) -> tuple[str, str]:
    """A path, in a list that was written on Windows with this system's slashes, and the file that it is of."""
    file = located(given, path)
    if "\\" in given and not os.path.lexists(file):
        given = given.replace("\\", "/")
        file = located(given, path)
    return given, file


def _text(value: object, column: str, path: Path, line: int) -> str | None:
    """A text, or a number as one; None for None. Raises InputError for anything else that JSON has."""
    if isinstance(value, dict | list | bool):
        raise InputError(f"{column} {str(value)!r} is not a text; put it in quotes, or remove it", path, line)
    return None if value is None else str(value)


def _phones(value: object, path: Path, line: int) -> tuple[tuple[str, ...], tuple[tuple[float, float], ...]]:
    """Phones as a text with spaces between them, or as a list of them or of objects with a `phone`; and their times, if
    they have `start` and `end`. Raises InputError where only some have."""
    items = value.split() if isinstance(value, str) else value or []
    rows = [each if isinstance(each, dict) else {"phone": each} for each in items] if isinstance(items, list) else [{}]
    phones = tuple(row["phone"] for row in rows if isinstance(row.get("phone"), str))
    if len(phones) < len(rows):
        raise InputError("phones are not a text or a list of texts; write them with spaces between them", path, line)
    given = [[read_seconds(row.get(key), key, path, line) for key in ("start", "end")] for row in rows]
    times = tuple((start, end) for start, end in given if start is not None and end is not None)
    if times and len(times) < len(phones):
        message = f"{len(times)} of {len(phones)} phones have a start and an end; give both to all of them, or to none"
        raise InputError(message, path, line)
    return phones, times


def _cut(row: dict[str, Any], path: Path, line: int) -> Listed:
    """A cut of Lhotse's."""
    if "tracks" in row or not isinstance(row.get("recording"), dict):
        raise InputError("a mixed cut, or one without a recording, cannot be read; save its audio first", path, line)
    channel = row.get("channel", 0)
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
        file, inside = lhotse_file(row, None, path, line)
        return Listed(file, channel=inside, utterance=str(row["id"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a Lhotse recording: {error}", path, line) from error


def lhotse_file(recording: dict[str, Any], channel: object, path: Path, line: int) -> tuple[str, int | None]:
    """The file of a Lhotse recording that has a channel (None: any), and the channel's place in it; None where the file
    has no other. A command of sph2pipe stands for the file that it reads.

    Raises InputError for what is not a single file, and for several channels.
    """
    if isinstance(channel, list) and len(channel) == 1:
        channel = channel[0]
    if isinstance(channel, list):
        named = ", ".join(map(str, channel))
        raise InputError(f"is of several channels at once ({named}); give one, or save their mean first", path, line)
    sources = [each for each in recording["sources"] if channel in (None, *each["channels"])]
    if recording["sources"] and not sources and isinstance(channel, int):
        raise InputError(f"has no channel {channel} in its recording; correct it", path, line)
    if len(sources) != 1 or recording.get("transforms"):
        raise InputError("not a single file without transforms; save its audio first", path, line)
    [source] = sources
    channels, file = source["channels"], str(source["source"])
    inside = None if channel is None or len(channels) == 1 else channels.index(channel)
    if source["type"] == "command" and (sphere := sphere_file(file)) is not None:
        file, alone = sphere
        return located(file, path), inside if alone is None else alone
    if source["type"] != "file":
        raise InputError(f"its audio is a {source['type']}, which is not run or fetched; save it first", path, line)
    return located(file, path), inside
