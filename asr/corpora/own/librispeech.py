"""LibriSpeech's layout: PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac, and the words of a chapter in .trans.txt.

Lhotse's reader is not used: it reads FLAC and the parts of the release only, and drops what it cannot read.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.file_names import composed
from asr.corpora.kaldi_files import Entry, read_entries
from asr.corpora.own.layout import is_audio, require_folder, split_of
from asr.corpora.own.reading import read_own
from asr.corpora.own.utterance import Found, Utterance
from asr.errors import InputError, refuse
from asr.storage.files import files_below

TRANSCRIPTS = "*.trans.txt"
SPEAKERS = "SPEAKERS.TXT"
_GENDERS = {"F": "female", "M": "male"}


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Reads the parts below `folder`; their names say train, dev or test, as train-clean-100 does.

    Raises InputError as `read_own` does, and with the line of a transcript that is broken or has no audio.
    """
    require_folder(folder)
    return read_own(config, folder, _found(folder))


def _found(folder: Path) -> Found:
    genders = {speaker: gender for path in folder.glob(SPEAKERS) for speaker, gender in _speakers(path)}
    files = list(files_below(folder))
    if not any(path.match(TRANSCRIPTS) for path in files):
        raise InputError(
            f"LibriSpeech is not here: expected PART/SPEAKER/CHAPTER/{TRANSCRIPTS}", folder, page="own_corpus.md"
        )
    for chapter, inside in groupby(files, attrgetter("parent")):
        paths = list(inside)
        audio = {composed(each.stem): each for each in paths if is_audio(each)}
        part = split_of(chapter.relative_to(folder).as_posix().partition("/")[0])
        for path in (each for each in paths if each.match(TRANSCRIPTS)):
            for name, entry in _entries(path, audio).items():
                file = audio.pop(composed(name), None)
                if isinstance(entry, InputError):
                    yield name, partial(refuse, entry)
                else:
                    yield name, partial(_utterance, name, entry, path, file, genders, part)
        for name, untold in audio.items():
            message = f"no {TRANSCRIPTS} next to it has a line for it; add one, or remove the file"
            yield name, partial(refuse, InputError(message, untold))


def _entries(path: Path, audio: Iterable[str]) -> dict[str, Entry | InputError]:
    """The words of a chapter's utterances; of a file that cannot be read at all, the error for each of its audio."""
    try:
        return read_entries(path)
    except InputError as error:
        return dict.fromkeys(list(audio) or [path.name], error)


def _utterance(
    name: str, entry: Entry, path: Path, audio: Path | None, genders: dict[str, str], part: str | None
) -> Utterance:
    if audio is None:
        raise InputError(f"there is no audio file {name} next to it; copy it again", path, entry.line)
    speaker = name.partition("-")[0]
    return Utterance(
        id=name,
        audio=audio,
        where=path,
        line=entry.line,
        speaker=speaker,
        gender=genders.get(speaker),
        text=entry.value,
        split=part,
    )


def _speakers(path: Path) -> Iterator[tuple[str, str]]:
    """Speakers and their sex, of lines such as `14 | F | train-clean-360 | 25.03 | Kristin LeMoine`."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) > 2 and fields[1] in _GENDERS:
            yield fields[0], _GENDERS[fields[1]]
