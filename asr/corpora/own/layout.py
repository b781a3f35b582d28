"""What the names of files and folders say, and the files below a folder."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from asr.audio import AUDIO_SUFFIXES, OTHER_SUFFIXES
from asr.corpora.file_names import composed, without_spaces
from asr.corpora.own.utterance import Found
from asr.errors import InputError, refuse
from asr.storage.files import files_below

_SPLITS = {
    "train": ("train", "training"),
    "dev": ("dev", "devel", "development", "val", "valid", "validation"),
    "test": ("test", "testing", "eval"),
}
_NAMES = {name: split for split, names in _SPLITS.items() for name in names}
_SHORT_NAMES = {"tr": "train", "cv": "dev"}
"""Names that may also be those of a language, of Common Voice or of a speaker: they count where no other name does."""


def split_of(name: str, short: bool = True) -> str | None:
    """The split that a name says, such as train-clean-100, mycorpus_valid.csv or Test; None where it says none.

    `short`: also by an abbreviation, as in cv.csv.
    """
    words = re.split(r"[^a-z]+", name.lower())
    names = (_NAMES, _SHORT_NAMES) if short else (_NAMES,)
    return next((each[word] for each in names for word in words if word in each), None)


def split_of_path(path: Path, root: Path) -> str | None:
    """The split that the first folder between a corpus's folder and a file says, by its full name."""
    folders = path.relative_to(root).parts[:-1]
    return _NAMES.get(folders[0].lower()) if folders else None


def speaker_of_path(path: Path, root: Path) -> str | None:
    """The folder that a file is in, below the corpus's or that of a split; None for a file in one of these."""
    folders = path.relative_to(root).parts[:-1]
    if split_of_path(path, root) is not None:
        folders = folders[1:]
    return "/".join(folders) or None


def require_folder(folder: Path) -> None:
    """Raises InputError where there is no such folder."""
    if not folder.is_dir():
        reason = "is a file, not a folder" if folder.exists() else "no such file or folder"
        raise InputError(f"{reason}; give the corpus's own (corpus.dir)", folder)


def audio_files(folder: Path) -> Iterator[Path]:
    """The audio files below a folder, as `files_below` finds them.

    Raises InputError where there is no such folder, or no audio file in it.
    """
    require_folder(folder)
    found = False
    for path in files_below(folder):
        if is_audio(path):
            found = True
            yield path
    if not found:
        raise InputError("has no audio files; give the folder that has them", folder, page="own_corpus.md")


Transcripts = Mapping[tuple[str, str], Path]
"""Files by their path without the suffix, composed, and their suffix in lower case."""


def transcripts_below(folder: Path, suffixes: Sequence[str]) -> Transcripts:
    """The files below a folder with one of the suffixes, in any letter case."""
    paths = (path for path in files_below(folder) if path.suffix.lower() in suffixes)
    return {(_same_name(path), path.suffix.lower()): path for path in paths}


def without_audio(folder: Path, transcripts: Iterable[Path], audio: Iterable[Path]) -> Found:
    """The transcripts that have no audio file: refused, each in its turn."""
    known = set(map(_same_name, audio))
    for path in transcripts:
        if _same_name(path) not in known:
            message = "there is no audio file with the same name next to it; add it, or remove this file"
            yield name_of(path, folder), partial(refuse, InputError(message, path))


def _same_name(path: Path) -> str:
    """What an audio file and its transcript have in common."""
    return composed(str(path.with_suffix("")))


def is_audio(path: Path) -> bool:
    """Whether a file is audio, by its suffix; hidden files are not."""
    return path.suffix.lower() in AUDIO_SUFFIXES | OTHER_SUFFIXES and not path.name.startswith(".")


def beside(audio: Path, suffix: str, transcripts: Transcripts) -> Path | None:
    """The transcript next to an audio file, with the same name and the suffix."""
    return transcripts.get((_same_name(audio), suffix))


def name_of(audio: Path, root: Path) -> str:
    """The name of the utterance of a file: its path below the corpus's folder, without the suffix, `_` for spaces."""
    return without_spaces(audio.relative_to(root).with_suffix("").as_posix())
