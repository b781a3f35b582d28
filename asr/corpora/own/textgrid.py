"""Audio files with a Praat TextGrid each, labelled by hand or by an aligner such as MFA.

The phones are in one tier, in which an empty label is silence; words are read from the tier `words` where there is one.
The speaker is the folder that a file is in.
"""

import logging
from functools import partial
from itertools import chain
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
from asr.errors import InputError, count, listed
from asr.formats.textgrid_reader import TextGrid, is_called

log = logging.getLogger(__name__)

SUFFIX = ".textgrid"
WORDS = "words"


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Warns of files that have words and other tiers, but not that of the phones.

    Raises InputError as `read_own` does.
    """
    others: list[list[str]] = []

    def found() -> Found:
        audios = list(audio_files(folder))
        transcripts = transcripts_below(folder, (SUFFIX,))
        for audio in audios:
            yield name_of(audio, folder), partial(_utterance, audio, folder, config.tier, transcripts, others)
        yield from without_audio(folder, transcripts.values(), audios)

    corpus = read_own(config, folder, found())
    if others:
        log.warning(
            "%s: %s without a tier %r: their phones come from their words and the lexicon; if another tier (%s) has "
            "the phones, name it with --tier (corpus.tier)",
            folder,
            count(len(others), "TextGrid"),
            config.tier,
            listed(dict.fromkeys(chain.from_iterable(others))),
        )
    return corpus


def _utterance(audio: Path, root: Path, tier: str, transcripts: Transcripts, others: list[list[str]]) -> Utterance:
    """The tier of words is enough where nothing else has phones; the tiers that might have them are added to `others`.

    Raises InputError without a TextGrid or both tiers.
    """
    path = beside(audio, SUFFIX, transcripts)
    if path is None:
        raise InputError("there is no TextGrid with the same name next to it", audio, page="own_corpus.md")
    grid = TextGrid(path)
    words = grid.intervals(WORDS) if tier != WORDS and grid.has(WORDS) else []
    if words and not grid.has(tier) and (more := [name for name in grid.interval_tiers if not is_called(name, WORDS)]):
        others.append(more)
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
