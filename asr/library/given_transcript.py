"""The transcript that `Recognizer.align` is given."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from asr.alignment.spoken import Spoken, lexicon_phones, spoken_phones, spoken_words
from asr.config import RecipeConfig
from asr.errors import InputError
from asr.phones.pronounce import load_pronouncer

Pronunciations = Mapping[str, Sequence[str | Sequence[str]]]
"""Words in lower case with their pronunciations, each of which is phones, or text with spaces between them."""


def given_transcript(
    words: str | None,
    lexicon: Pronunciations | Path | str | None,
    phones: str | Sequence[str] | None,
    config: RecipeConfig,
) -> Spoken:
    """For the model of `config`, either words with a lexicon, or phones. Raises InputError as `Recognizer.align`."""
    if (words is None) == (phones is None):
        raise InputError("give either words or phones to align")
    phone_set = config.targets.phone_set
    if phones is not None:
        return spoken_phones(phones.split() if isinstance(phones, str) else phones, phone_set)
    if lexicon is None:
        raise InputError("words need a lexicon with their pronunciations; give lexicon, or phones instead of words")
    if isinstance(lexicon, Path | str):
        known = load_pronouncer([lexicon], lexicon_phones(phone_set), broad_ipa=config.corpus.broad_ipa).lexicon
    else:
        known = {word: _pronunciations(given) for word, given in lexicon.items()}
    return spoken_words(words or "", known, phone_set)


def _pronunciations(given: Sequence[str | Sequence[str]]) -> list[tuple[str, ...]]:
    several = [given] if isinstance(given, str) else given
    return [tuple(each.split() if isinstance(each, str) else each) for each in several]
