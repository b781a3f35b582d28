"""Phones for the utterances of which a corpus has only the words."""

import logging
from collections import Counter
from functools import cached_property
from pathlib import Path

from lhotse import MonoCut

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.cuts import has_phones, pronounced
from asr.errors import count, listed
from asr.phones.pronounce import Pronouncer, load_pronouncer
from asr.storage.files import remove, write_text
from asr.storage.run_layout import MISSING_WORDS

log = logging.getLogger(__name__)


def pronounce_corpus(corpus: CorpusCuts, config: CorpusConfig, out_dir: Path) -> None:
    """Gives each cut that has a text and no phones the pronunciations of its words.

    An utterance with a word that neither `config.lexicon` nor the G2P covers moves to `corpus.skipped`;
    `out_dir`/missing_words.tsv has these words and how often each occurs, the most frequent first. Without such cuts no
    lexicon is read. Raises InputError as `load_pronouncer` does.
    """
    missing: Counter[str] = Counter()
    lexicon = _Lexicon(config)
    before = len(corpus.skipped)
    for name, cuts in corpus.manifests.items():
        corpus.manifests[name] = [
            spoken for cut in cuts if (spoken := _pronounced(cut, lexicon, missing, corpus.skipped)) is not None
        ]
    if missing:
        write_text(out_dir / MISSING_WORDS, "".join(f"{word}\t{times}\n" for word, times in _most_frequent(missing)))
        log.warning(
            "%s left out: %s without a pronunciation, listed in %s: %s",
            count(len(corpus.skipped) - before, "utterance"),
            count(len(missing), "word"),
            out_dir / MISSING_WORDS,
            listed(word for word, _ in _most_frequent(missing)),
        )
    else:
        remove(out_dir / MISSING_WORDS)


class _Lexicon:
    """Reads the lexicons when a word is first looked up."""

    def __init__(self, config: CorpusConfig) -> None:
        self._config = config

    @cached_property
    def pronouncer(self) -> Pronouncer:
        return load_pronouncer(self._config.lexicon, self._config.phone_set, self._config.g2p)


def _pronounced(
    cut: MonoCut, lexicon: _Lexicon, missing: Counter[str], skipped: list[dict[str, str]]
) -> MonoCut | None:
    text = cut.supervisions[0].text
    if has_phones(cut) or not text:
        return cut
    words, unknown = lexicon.pronouncer(text)
    missing.update(unknown)
    if words and not unknown:
        return pronounced(cut, words)
    reason = f"no pronunciation of {listed(dict.fromkeys(unknown))}" if unknown else "its text has no words"
    skipped.append({"utterance": cut.id, "reason": reason})
    return None


def _most_frequent(words: Counter[str]) -> list[tuple[str, int]]:
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))
