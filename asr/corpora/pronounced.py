"""Phones for the utterances of which a corpus has only the words."""

import logging
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from lhotse import MonoCut

from asr.config import CorpusConfig
from asr.corpora.corpus import WordCoverage
from asr.corpora.cuts import has_phones, with_words
from asr.errors import count, listed
from asr.phones.lexicon import Lexicon
from asr.phones.pronounce import Pronouncer, load_pronouncer
from asr.storage.files import remove, write_text
from asr.storage.run_layout import GUESSED_WORDS, MISSING_WORDS

log = logging.getLogger(__name__)


def pronounce(
    cuts: Sequence[MonoCut], config: CorpusConfig, skipped: list[dict[str, str]]
) -> tuple[list[MonoCut], WordCoverage]:
    """The cuts; those that have a text and no phones with the pronunciations of its words.

    An utterance with a word that neither `config.lexicon` nor the G2P covers is left out and listed in `skipped`.
    Without such cuts no lexicon is read. Raises InputError as `load_pronouncer` does.
    """
    words = _Words(config)
    kept = [spoken for cut in cuts if (spoken := words.pronounced(cut)) is not None]
    skipped.extend(words.skipped)
    return kept, WordCoverage(words.missing, words.guessed, len(words.skipped), len(cuts), config.g2p)


def write_coverage(coverage: WordCoverage, out_dir: Path) -> None:
    """Writes missing_words.tsv, the words without a pronunciation and how often each occurs, the most frequent first,
    and guessed_words.txt, the G2P's pronunciations; each only if there are any. Both are also logged."""
    guessed, missing = out_dir / GUESSED_WORDS, out_dir / MISSING_WORDS
    by_word = coverage.guessed
    _write(guessed, [f"{word} {' '.join(each)}" for word in sorted(by_word) for each in by_word[word]])
    ranked = _ranked(coverage)
    _write(missing, [f"{word}\t{coverage.missing[word]}" for word in ranked])
    if by_word:
        log.info("%s pronounced by the G2P: %s", count(len(by_word), "word"), guessed)
    if ranked:
        log.warning("%s", what_is_missing(coverage, missing))


def what_is_missing(coverage: WordCoverage, table: Path | None = None) -> str:
    """How many utterances are left out, for which words (all of which are in a table), and what to do."""
    words = f"{count(len(coverage.missing), 'word')} without a pronunciation"
    more = "write numbers and signs in words" if coverage.g2p else "use --g2p (corpus.g2p)"
    return (
        f"{coverage.left_out} of {count(coverage.utterances, 'utterance')} left out: {words}"
        f"{f', listed in {table}' if table else ''}: {listed(_ranked(coverage))}; add a lexicon that has them, or "
        f"{more}"
    )


def _ranked(coverage: WordCoverage) -> list[str]:
    """The words that nothing covers, the most frequent first."""
    return sorted(coverage.missing, key=lambda word: (-coverage.missing[word], word))


class _Words:
    """Pronounces cuts; counts the words without a pronunciation, and lists the utterances that have any."""

    def __init__(self, config: CorpusConfig) -> None:
        self._config = config
        self.missing: Counter[str] = Counter()
        self.skipped: list[dict[str, str]] = []

    @cached_property
    def pronouncer(self) -> Pronouncer:
        config = self._config
        return load_pronouncer(config.lexicon, config.transcribed_in, config.g2p, config.broad_ipa)

    def pronounced(self, cut: MonoCut) -> MonoCut | None:
        text = cut.supervisions[0].text
        if has_phones(cut) or not text:
            return cut
        words, unknown = self.pronouncer(text)
        if words and not unknown:
            return with_words(cut, words)
        self.missing.update(unknown)
        reason = f"no pronunciation of {listed(dict.fromkeys(unknown))}" if unknown else "its text has no words"
        self.skipped.append({"utterance": cut.id, "reason": reason})
        return None

    @property
    def guessed(self) -> Lexicon:
        return self.pronouncer.guessed if "pronouncer" in self.__dict__ else {}


def _write(path: Path, lines: list[str]) -> None:
    if lines:
        write_text(path, "".join(line + "\n" for line in lines))
    else:
        remove(path)
