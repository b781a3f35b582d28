"""Audio files with a Praat TextGrid each, labelled by hand or by an aligner such as MFA.

The phones are in one tier, in which an empty label is silence; words are read from the tier `words` where there is one.
The speaker is the folder that a file is in; where a TextGrid has such tiers for several speakers, as MFA writes them
(`ann - phones`), each turn of one of them is an utterance.
"""

import logging
from functools import partial
from itertools import chain
from pathlib import Path

from asr.audio import audio_info
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
from asr.corpora.own.turns import is_spoken, numbered, turns_of
from asr.corpora.own.utterance import Found, Utterance
from asr.errors import InputError, count, listed, refuse
from asr.formats.speakers import utterance_name
from asr.formats.textgrid_reader import TextGrid, is_called

log = logging.getLogger(__name__)

SUFFIX = ".textgrid"
WORDS = "words"


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Warns of files that have words and other tiers, but not that of the phones.

    Raises InputError as `read_own` does.
    """
    others: list[list[str]] = []
    lost: list[float] = []

    def found() -> Found:
        audios = list(audio_files(folder))
        transcripts = transcripts_below(folder, (SUFFIX,))
        for audio in audios:
            try:
                yield from _utterances(audio, folder, config.tier, transcripts, others, lost)
            except InputError as error:
                yield name_of(audio, folder), partial(refuse, error)
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
    if sum(lost):
        log.warning(
            "%s: %.1f s of the phones are left out, as another speaker has phones at the same time", folder, sum(lost)
        )
    return corpus


def _utterances(
    audio: Path, root: Path, tier: str, transcripts: Transcripts, others: list[list[str]], lost: list[float]
) -> Found:
    """The utterance of a recording, or the turns of its speakers, if its TextGrid has tiers of several.

    Tiers that might have the phones are added to `others`, and the seconds of the phones that are in no turn to `lost`.
    Raises InputError without a TextGrid.
    """
    path = beside(audio, SUFFIX, transcripts)
    if path is None:
        raise InputError("there is no TextGrid with the same name next to it", audio, page="own_corpus.md")
    grid = TextGrid(path)
    if not grid.speakers(tier):
        return [(name_of(audio, root), partial(_utterance, audio, root, tier, path, grid, others))]
    turns, seconds = _turns(audio, root, tier, path, grid)
    lost.append(seconds)
    return [(turn.id, partial(_itself, turn)) for turn in turns]


def _utterance(audio: Path, root: Path, tier: str, path: Path, grid: TextGrid, others: list[list[str]]) -> Utterance:
    """The tier of words is enough where nothing else has phones. Raises InputError without both tiers."""
    words = grid.intervals(WORDS) if tier != WORDS and grid.has(WORDS) else []
    if words and not grid.has(tier) and (more := [name for name in grid.interval_tiers if not is_called(name, WORDS)]):
        others.append(more)
    if not (words or grid.has(tier)):
        try:
            grid.intervals(tier)
        except InputError as error:
            raise InputError(f"{error}; name the one that has the phones with --tier (corpus.tier)") from error
    return Utterance(
        id=name_of(audio, root),
        audio=audio,
        where=path,
        speaker=speaker_of_path(audio, root),
        segments=grid.intervals(tier) if grid.has(tier) else (),
        words=words,
        text=" ".join(label for _, _, label in words if label),
        split=split_of_path(audio, root),
    )


def _turns(audio: Path, root: Path, tier: str, path: Path, grid: TextGrid) -> tuple[list[Utterance], float]:
    """An utterance for each turn of a speaker, and the seconds of the phones that are in none."""
    info = audio_info(audio)
    phones = {speaker: grid.intervals(name) for speaker, name in grid.speakers(tier).items()}
    words = {speaker: grid.intervals(name) for speaker, name in grid.speakers(WORDS).items()}
    turns, lost = turns_of(phones, info.samples / info.sample_rate)
    found = []
    for number, turn in numbered(turns):
        said = turn.inside(words.get(turn.speaker, ()), is_spoken)
        found.append(
            Utterance(
                id=utterance_name(name_of(audio, root), number, turn.speaker),
                audio=audio,
                where=path,
                start=turn.start,
                duration=turn.end - turn.start,
                speaker=turn.speaker,
                segments=turn.inside(phones[turn.speaker], is_spoken),
                words=said,
                text=" ".join(label for _, _, label in said if label),
                split=split_of_path(audio, root),
            )
        )
    return found, lost


def _itself(utterance: Utterance) -> Utterance:
    return utterance
