"""Audio files with a Praat TextGrid each, labelled by hand or by an aligner such as MFA.

The phones are in one tier, in which an empty label is silence; words are read from the tier `words` where there is one.
The speaker is the folder that a file is in.
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
from asr.corpora.own.utterance import Found, Utterance
from asr.errors import InputError
from asr.formats.textgrid_reader import TextGrid

SUFFIX = ".textgrid"
WORDS = "words"


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Raises InputError as `read_own` does."""

    def found() -> Found:
        audios = list(audio_files(folder))
        transcripts = transcripts_below(folder, (SUFFIX,))
        for audio in audios:
            yield name_of(audio, folder), partial(_utterance, audio, folder, config.tier, transcripts)
        yield from without_audio(folder, transcripts.values(), audios)

    return read_own(config, folder, found())


def _utterance(audio: Path, root: Path, tier: str, transcripts: Transcripts) -> Utterance:
    """The tier of words is enough where nothing else has phones. Raises InputError without a TextGrid or both tiers."""
    path = beside(audio, SUFFIX, transcripts)
    if path is None:
        raise InputError("there is no TextGrid with the same name next to it", audio, page="own_corpus.md")
    grid = TextGrid(path)
    words = grid.intervals(WORDS) if tier != WORDS and grid.has(WORDS) else []
    return Utterance(
        id=name_of(audio, root),
        audio=audio,
        where=path,
        speaker=speaker_of_path(audio, root),
        segments=grid.intervals(tier) if not words or grid.has(tier) else (),
        words=words,
        text=" ".join(label for _, _, label in words if label),
        split=split_of_path(audio, root),
    )
