"""Audio files with a transcript each of the same name: phones in .phn, phones or words in .lab and .txt.

`.phn` and HTK's `.lab` have times; corpus.text says what `.lab` and `.txt` hold. The speaker is the folder that a file
is in.
"""

from functools import partial
from pathlib import Path

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.own.layout import (
    Transcripts,
    audio_files,
    beside,
    name_of,
    speaker_of_path,
    split_of_path,
    transcripts_below,
    without_audio,
)
from asr.corpora.own.reading import read_own
from asr.corpora.own.utterance import Found, Segment, Utterance
from asr.errors import InputError
from asr.formats.lab import read_segments
from asr.formats.phn import SAMPLE_RATE, read_labels
from asr.formats.plain_text import read_transcript

TEXT = ".txt"
"""A file with this suffix may be about anything, so it needs no audio."""

SUFFIXES = (".phn", ".lab", TEXT)


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Raises InputError as `read_own` does."""

    def found() -> Found:
        audios = list(audio_files(folder))
        transcripts = transcripts_below(folder, SUFFIXES)
        for audio in audios:
            yield name_of(audio, folder), partial(_utterance, audio, folder, transcripts)
        labels = (path for (_, suffix), path in transcripts.items() if suffix != TEXT)
        yield from without_audio(folder, labels, audios)

    return read_own(config, folder, found())


def _utterance(audio: Path, root: Path, transcripts: Transcripts) -> Utterance:
    path = next((path for suffix in SUFFIXES if (path := beside(audio, suffix, transcripts)) is not None), None)
    if path is None:
        raise InputError(
            f"there is no transcript ({', '.join(SUFFIXES)}) of the same name next to it", audio, page="own_corpus.md"
        )
    segments = _segments(path)
    text = path if path.suffix.lower() == ".lab" else beside(audio, TEXT, transcripts)
    return Utterance(
        id=name_of(audio, root),
        audio=audio,
        where=path,
        speaker=speaker_of_path(audio, root),
        segments=segments or (),
        text=read_transcript(text, "words", audio) if text is not None and not (segments and text == path) else "",
        split=split_of_path(audio, root),
    )


def _segments(path: Path) -> list[Segment] | None:
    """The phones with times of a file that has them."""
    if path.suffix.lower() == ".phn":
        return [(each.start / SAMPLE_RATE, each.end / SAMPLE_RATE, each.symbol) for each in read_labels(path)]
    return read_segments(path) if path.suffix.lower() == ".lab" else None
