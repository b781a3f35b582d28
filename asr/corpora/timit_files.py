"""Finds TIMIT on disk, in any of its common layouts: the speakers, and the files of each utterance."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asr.errors import InputError

LAYOUTS = "TRAIN|TEST/DRn/SPEAKER/SENTENCE.{WAV,PHN} in either case, or drN-speaker/sentence.{wav,phn}"

# A converted copy (SA1.WAV.wav) comes before the original (SA1.WAV) where both are there.
_AUDIO_SUFFIXES = ("wav.wav", "wav.flac", "wav", "flac", "ogg", "opus")
_SEARCH_DEPTH = 2
_DIALECT_FOLDER = re.compile(r"dr\d+", re.IGNORECASE)
_FLAT_FOLDER = re.compile(r"(dr\d+)-(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Speaker:
    """A speaker's folder; `id` and `dialect` in lower case, `part` is train or test, or None in the flat layout."""

    id: str
    folder: Path
    dialect: str
    part: str | None

    @property
    def gender(self) -> str | None:
        """From the first letter of the id, as in TIMIT."""
        return {"f": "female", "m": "male"}.get(self.id[:1])


@dataclass(frozen=True, slots=True)
class UtteranceFiles:
    """The files of one utterance; what is not there is None. `id` is speaker-sentence in lower case."""

    id: str
    speaker: Speaker
    audio: Path | None
    phones: Path | None
    words: Path | None
    text: Path | None


@dataclass(frozen=True, slots=True)
class TimitFolder:
    """The folder of a corpus, and its speakers in the order of their folders' names."""

    root: Path
    speakers: tuple[Speaker, ...]

    @property
    def flat(self) -> bool:
        """Whether this is the layout of NLTK's sample, drN-speaker, which has no train and test parts."""
        return all(speaker.part is None for speaker in self.speakers)


def find_timit(folder: Path) -> TimitFolder:
    """The corpus in `folder` or up to two folders below it (LDC93S1/timit/TIMIT).

    Raises InputError if there is no such folder, no TIMIT in it, or a speaker twice.
    """
    if not folder.is_dir():
        raise InputError("no such folder; give the corpus's folder (corpus.dir)", folder)
    level = [folder]
    for _ in range(_SEARCH_DEPTH + 1):
        for root in level:
            if speakers := sorted(_speakers(root), key=lambda speaker: (speaker.folder.name.lower(), speaker.folder)):
                _check_unique(speakers)
                return TimitFolder(root, tuple(speakers))
        level = [child for root in level for child in _folders(root) if os.access(child, os.R_OK | os.X_OK)]
    raise InputError(f"TIMIT is not here: expected {LAYOUTS}", folder, page="timit.md")


def utterances(speaker: Speaker) -> Iterator[UtteranceFiles]:
    """Yields the speaker's utterances, sorted, without the SA sentences, which every speaker reads.

    Raises InputError when the folder cannot be read.
    """
    names: dict[str, dict[str, Path]] = {}
    # Where names differ by case only (SX26.WAV, SX26.wav), the lower case, a converted copy, sorts last and stays.
    for entry in sorted(_entries(speaker.folder)):
        stem, _, suffix = entry.name.lower().partition(".")
        if stem and not re.fullmatch(r"sa\d+", stem):
            names.setdefault(stem, {})[suffix] = entry
    for stem, files in sorted(names.items()):
        audio = next((files[suffix] for suffix in _AUDIO_SUFFIXES if suffix in files), None)
        phones = files.get("phn")
        if audio or phones:
            yield UtteranceFiles(f"{speaker.id}-{stem}", speaker, audio, phones, files.get("wrd"), files.get("txt"))


def _speakers(root: Path) -> Iterator[Speaker]:
    for folder in _folders(root):
        if match := _FLAT_FOLDER.fullmatch(folder.name):
            yield Speaker(match[2].lower(), folder, match[1].lower(), None)
        elif (part := folder.name.lower()) in ("train", "test"):
            dialects = (dialect for dialect in _folders(folder) if _DIALECT_FOLDER.fullmatch(dialect.name))
            for dialect in dialects:
                for child in _folders(dialect):
                    yield Speaker(child.name.lower(), child, dialect.name.lower(), part)


def _check_unique(speakers: list[Speaker]) -> None:
    seen: dict[str, Speaker] = {}
    for speaker in speakers:
        if (other := seen.setdefault(speaker.id, speaker)) is not speaker:
            raise InputError(f"speaker {speaker.id} is here and in {other.folder}; remove one copy", speaker.folder)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in _entries(folder) if path.is_dir())


def _entries(folder: Path) -> list[Path]:
    """The entries of a folder, without hidden files (macOS leaves `._SA1.WAV` next to SA1.WAV)."""
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", folder) from error
