"""The result of reading any corpus: the cuts of each manifest, and what is wrong with the corpus."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lhotse import MonoCut

from asr.phones.lexicon import Lexicon
from asr.phones.phone_set import PhoneSet

SKIP = "--skip-bad (corpus.skip_bad)"
"""The option and setting that leave out what is broken."""


NO_SPEAKERS = "speaker labels of"
"""How the line of `CorpusCuts.missing` begins that counts utterances without a speaker; a stored summary has no other
sign of them."""


@dataclass(frozen=True)
class WordCoverage:
    """The words of a corpus's texts that no lexicon has: those that nothing covers, with how often they occur, and the
    pronunciations that the G2P `guessed`, if one was used (`g2p`). `left_out` of `utterances` have such a word, or none
    at all."""

    missing: Counter[str] = field(default_factory=Counter)
    guessed: Lexicon = field(default_factory=dict)
    left_out: int = 0
    utterances: int = 0
    g2p: bool = False


@dataclass(frozen=True)
class CorpusCuts:
    """The cuts of each manifest (`train`, or `fold-1/train`), in order; `root` is where the corpus was found.

    `skipped` has each utterance that was left out (`utterance`, `reason`), `missing` what a complete copy also has.
    `phone_set` is that of the transcripts of a corpus of one's own that has phones; `speakers_known` is false where
    some of its utterances have no speaker, so that an audio file counts as one.
    """

    root: Path
    manifests: dict[str, list[MonoCut]]
    skipped: list[dict[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    phone_set: PhoneSet | None = None
    speakers_known: bool = True
    words: WordCoverage = field(default_factory=WordCoverage)
