"""The files of speechocean762 (OpenSLR 101): Kaldi tables of train and test, the phones of each word, the audio.

The release has WAV; a copy converted to FLAC, with the same names apart from the suffix, works too.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from asr.corpora.kaldi_files import Entry, read_table
from asr.errors import InputError
from asr.phones.phone_set import load_phone_set, silences
from asr.phones.symbols import spelled

Part = Literal["train", "test"]
PARTS: tuple[Part, ...] = ("train", "test")
TEXT_PHONE = Path("resource", "text-phone")
_PHONES = frozenset(load_phone_set("cmu39")) - silences("cmu39")

_SUFFIXES = (".wav", ".flac")
_SEARCH_DEPTH = 2
_MOST_DIGITS = 6
_LONGEST_PATH = 250
_PHONE = re.compile(r"(\w+)_([BIES])")
_POSITIONS = re.compile(r"S|BI*E")
_GENDERS = {"f": "female", "m": "male"}


@dataclass(frozen=True, slots=True)
class Speaker:
    """A speaker of one part; `gender` is female or male, `age` in years."""

    id: str
    gender: str
    age: int


@dataclass(frozen=True)
class Tables:
    """The tables of one part, by utterance; `speakers` by their names."""

    folder: Path
    audio: dict[str, Entry]
    text: dict[str, Entry]
    speaker_of: dict[str, Entry]
    speakers: dict[str, Speaker]

    @property
    def utterances(self) -> list[str]:
        """Every utterance in any of the tables, sorted."""
        return sorted(self.audio.keys() | self.text.keys() | self.speaker_of.keys())


def find_speechocean762(folder: Path) -> Path:
    """The corpus in `folder` or up to two folders below it. Raises InputError where there is none."""
    if not folder.is_dir():
        raise InputError("no such folder; give the corpus's folder (corpus.dir)", folder)
    level = [folder]
    for _ in range(_SEARCH_DEPTH + 1):
        for root in level:
            if (root / TEXT_PHONE).is_file():
                return root
        try:
            level = sorted(child for root in level for child in root.iterdir() if child.is_dir())
        except OSError as error:
            raise InputError(f"cannot read: {error.strerror}", error.filename) from error
    raise InputError(f"speechocean762 is not here: expected train/, test/, WAVE/ and {TEXT_PHONE}", folder)


def read_tables(root: Path, part: Part) -> Tables:
    """The tables of train or test. Raises InputError with the file and line that is broken or missing."""
    folder = root / part
    speaker_of = read_table(folder / "utt2spk")
    return Tables(
        folder,
        read_table(folder / "wav.scp"),
        read_table(folder / "text"),
        speaker_of,
        _speakers(folder, {entry.value for entry in speaker_of.values()}),
    )


def read_spoken_words(root: Path) -> dict[str, dict[int, Entry]]:
    """The lines of resource/text-phone: utterance -> number of the word -> its phones as written there.

    Raises InputError with the line of a key that is not `utterance.number`.
    """
    path = root / TEXT_PHONE
    words: dict[str, dict[int, Entry]] = {}
    for key, entry in read_table(path).items():
        utterance, dot, number = key.rpartition(".")
        if not (dot and utterance and _is_short_number(number)):
            raise InputError(f"expected utterance.wordnumber, found {key!r}", path, entry.line)
        spoken = words.setdefault(utterance, {})
        if int(number) in spoken:
            raise InputError(f"utterance {utterance} has word {int(number)} twice", path, entry.line)
        spoken[int(number)] = entry
    return words


def parse_word(text: str) -> tuple[str, ...]:
    """The phones of one word, such as `B_B EH0_I R_E`: in lower case, without stress and position.

    Raises ValueError for a field that is not a phone, a phone that is not one of CMU's, and positions that do not make
    a word.
    """
    phones, positions = [], ""
    for field in text.split():
        if (match := _PHONE.fullmatch(field)) is None:
            raise ValueError(f"expected a phone with its position, such as AH0_B, found {field!r}")
        phone = spelled(match[1], _PHONES)
        if phone not in _PHONES:
            raise ValueError(f"unknown phone {match[1]!r}: it is not one of the CMU dictionary's 39")
        phones.append(phone)
        positions += match[2]
    if not _POSITIONS.fullmatch(positions):
        raise ValueError(f"the phones' positions ({positions or 'none'}) are not those of one whole word (S or B I E)")
    return tuple(phones)


def _is_short_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


class AudioFiles:
    """Finds the files in wav.scp, only below the corpus's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listings: dict[Path, dict[str, Path]] = {}

    def find(self, name: str) -> Path:
        """The file of that name, in any letter case and as WAV or FLAC.

        Raises InputError for a command, for a path that leads out of the corpus, and where there is no such file.
        """
        if "|" in name:
            raise InputError(f"{name!r} is a command, which is never run; give an audio file")
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name or len(name) > _LONGEST_PATH:
            raise InputError(
                f"{name!r} leads out of the corpus or is too long; give a file below its folder, as in the release"
            )
        folder = self.root
        for part in path.parts[:-1]:
            folder = self._listing(folder).get(part.lower(), folder / part)
        if (exact := folder / path.name).is_file():
            return exact
        names = self._listing(folder)
        stem = path.stem.lower()
        for candidate in (path.name.lower(), *(stem + suffix for suffix in _SUFFIXES)):
            if candidate in names:
                return names[candidate]
        raise InputError(f"there is no audio file {name} (nor one in {' or '.join(_SUFFIXES)}) in {self.root}")

    def _listing(self, folder: Path) -> dict[str, Path]:
        if folder not in self._listings:
            entries = sorted(folder.iterdir()) if folder.is_dir() else []
            self._listings[folder] = {entry.name.lower(): entry for entry in entries}
        return self._listings[folder]


def _speakers(folder: Path, ids: set[str]) -> dict[str, Speaker]:
    genders, ages = (folder / name for name in ("spk2gender", "spk2age"))
    gender_of, age_of = read_table(genders), read_table(ages)
    speakers = {}
    for speaker in sorted(ids):
        for path, table in ((genders, gender_of), (ages, age_of)):
            if speaker not in table:
                raise InputError(f"speaker {speaker} of utt2spk is not here; add the line", path)
        gender, age = gender_of[speaker], age_of[speaker]
        if gender.value not in _GENDERS:
            raise InputError(f"expected f or m, found {gender.value!r}", genders, gender.line)
        if not _is_short_number(age.value):
            raise InputError(f"expected an age in whole years, found {age.value!r}", ages, age.line)
        speakers[speaker] = Speaker(speaker, _GENDERS[gender.value], int(age.value))
    return speakers
