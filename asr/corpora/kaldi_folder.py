"""A Kaldi data folder as a list: wav.scp with or without segments, text, utt2spk, spk2gender, reco2file_and_channel.

Kaldi reads reco2file_and_channel only to score by NIST's sclite: it gives the name of each recording's conversation,
which is not a path, and its side, A or B. Scripts that know of no sides write A, and in most folders wav.scp gives the
audio of one side already. So a side counts only where the recording's file has several channels, of which A is the
first.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from asr.audio import audio_info
from asr.corpora.kaldi_files import Entry, read_entries
from asr.corpora.list_row import Listed, Rows, label_of, located, read_seconds
from asr.corpora.sph2pipe import sphere_file
from asr.errors import InputError, refuse

WAV_SCP = "wav.scp"
SIDES = "reco2file_and_channel"
_CHANNELS = {"A": 0, "B": 1}


def find_wav_scp(path: Path) -> Path | None:
    """The wav.scp that a user means by itself or by its folder; None for anything else."""
    inside = path if path.name == WAV_SCP else path / WAV_SCP
    return inside if os.path.isfile(inside) else None  # noqa: PTH113 - Path.is_file may raise


def kaldi_rows(wav_scp: Path) -> Rows:
    """The utterances of a Kaldi data folder: those of `segments`, or whole recordings; with `text` and speaker."""
    folder = wav_scp.parent
    tables = _KaldiTables(
        wav_scp,
        read_entries(wav_scp),
        *(_optional_table(folder / name) for name in ("text", "utt2spk", "spk2gender", SIDES)),
    )
    segments = folder / "segments"
    read = partial(tables.segment, segments) if segments.is_file() else tables.recording
    entries = read_entries(segments) if segments.is_file() else tables.recordings
    for number, (name, entry) in enumerate(entries.items(), start=1):
        if isinstance(entry, InputError):
            yield number, name, partial(refuse, entry)
        else:
            yield entry.line, name, partial(read, name, entry)


_Table = Mapping[str, Entry | InputError]


@dataclass(frozen=True, slots=True)
class _Audio:
    """The file of a recording and its label, its channel there (None: all), and whether a command gives that channel
    `alone`."""

    path: str
    label: str
    channel: int | None = None
    alone: bool = False


@dataclass(frozen=True)
class _KaldiTables:
    """The tables of a Kaldi data folder, and how its utterances are read from them."""

    wav_scp: Path
    recordings: _Table
    texts: _Table
    speakers: _Table
    genders: _Table
    sides: _Table
    files: dict[str, _Audio] = field(default_factory=dict, init=False)
    """Of the recordings that were read so far."""
    whole: dict[str, str] = field(default_factory=dict, init=False)
    """The first recording that is all channels of a file."""

    def recording(self, name: str, entry: Entry) -> Listed:
        """A whole recording as an utterance."""
        return self._listed(name, name, 0.0, None, None)

    def segment(self, segments: Path, name: str, entry: Entry) -> Listed:
        """An utterance of `segments`."""
        recording, *times = entry.value.split()
        if recording not in self.recordings or len(times) < 2:
            message = f"expected a recording of wav.scp, start and end, not {entry.value!r}"
            raise InputError(message, segments, entry.line)
        start = read_seconds(times[0], "start", segments, entry.line) or 0.0
        end = None if times[1] == "-1" else read_seconds(times[1], "end", segments, entry.line)
        if end is not None and end <= start:
            raise InputError(f"its end {end:g} s is not after its start {start:g} s; correct it", segments, entry.line)
        channel = _channel(times[2], segments, entry.line) if len(times) > 2 else None
        if channel and self._audio(recording).alone:
            message = f"channel {channel} (from 0), but the command of {recording} in {WAV_SCP} gives one; correct it"
            raise InputError(message, segments, entry.line)
        return self._listed(name, recording, start, None if end is None else end - start, channel)

    def _listed(self, name: str, recording: str, start: float, duration: float | None, channel: int | None) -> Listed:
        audio = self._audio(recording)
        if channel is None or audio.alone:
            channel = audio.channel
        if channel is None:
            self._require_one(recording, audio.path)
        speaker = _value(self.speakers, name)
        return Listed(
            audio.path,
            start,
            duration,
            channel,
            _value(self.texts, name),
            name,
            audio.label,
            speaker=speaker,
            gender=None if speaker is None else _value(self.genders, speaker),
        )

    def _require_one(self, recording: str, file: str) -> None:
        """Raises InputError where two recordings are all channels of one file: it is not said which side each is."""
        other = self.whole.setdefault(file, recording)
        if other != recording and _channels_of(file) > 1:
            message = (
                f"{other} and {recording} are the same channels of {file}; give the side of each, A or B, in {SIDES}"
            )
            raise InputError(message, self.wav_scp, _found(self.recordings, recording).line)

    def _audio(self, recording: str) -> _Audio:
        if recording not in self.files:
            audio = _kaldi_audio(_found(self.recordings, recording), self.wav_scp)
            if not audio.alone and self.sides:
                audio = replace(audio, channel=self._side(recording, audio.path))
            self.files[recording] = audio
        return self.files[recording]

    def _side(self, recording: str, file: str) -> int | None:
        """The channel of a recording by its side; None where its file has one."""
        if (channels := _channels_of(file)) == 1:
            return None
        if recording not in self.sides:
            message = f"has no line of {recording}, and {file} has {channels} channels; add it, with the side A or B"
            raise InputError(message, self.wav_scp.with_name(SIDES))
        entry = _found(self.sides, recording)
        if (side := entry.value.split()[-1]) not in _CHANNELS:
            message = f"the channel {side!r} of {recording} is not A or B, and {file} has {channels}; correct it"
            raise InputError(message, self.wav_scp.with_name(SIDES), entry.line)
        return _CHANNELS[side]


def _channels_of(file: str) -> int:
    """How many a file has; 1 for one that cannot be read, which is said when its utterances are."""
    try:
        return audio_info(file).channels
    except InputError:
        return 1


def _channel(text: str, segments: Path, line: int) -> int | None:
    """The fifth field of a line of `segments`: a channel from 0; -1, as in Kaldi, says nothing."""
    if text == "-1":
        return None
    if not text.isdecimal():
        raise InputError(f"its channel {text!r} is not a number from 0; correct it", segments, line)
    return int(text)


def _kaldi_audio(entry: Entry, wav_scp: Path) -> _Audio:
    if entry.value.endswith("|"):
        if (sphere := sphere_file(entry.value)) is not None:
            file, channel = sphere
            return _Audio(located(file, wav_scp), label_of(file), channel, alone=channel is not None)
        message = (
            "is a command, which is not run; save its output as an audio file and name that, or name its own "
            "input: SPHERE, FLAC and MP3 are read as they are"
        )
        raise InputError(f"{entry.value!r} {message}", wav_scp, entry.line)
    place = located(entry.value, wav_scp)
    file, _, offset = entry.value.rpartition(":")
    if offset.isdecimal() and file and not os.path.exists(place):  # noqa: PTH110
        raise InputError(f"{entry.value!r} is a place in an archive; name audio files", wav_scp, entry.line)
    return _Audio(place, label_of(entry.value))


def _optional_table(path: Path) -> _Table:
    return read_entries(path) if path.is_file() else {}


def _found(table: _Table, name: str) -> Entry:
    """The entry of a name that is in the table. Raises InputError for a broken one."""
    if isinstance(entry := table[name], InputError):
        raise entry
    return entry


def _value(table: _Table, name: str) -> str | None:
    return _found(table, name).value if name in table else None
