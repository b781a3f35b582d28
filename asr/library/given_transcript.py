"""The transcript that `Recognizer.align` is given."""

from collections.abc import Sequence
from pathlib import Path

from asr.alignment.spoken import Spoken, lexicon_phones, spoken_phones, spoken_words
from asr.config import RecipeConfig
from asr.errors import InputError
from asr.phones.lexicon import Lexicon, read_lexicon


def given_transcript(
    words: str | None, lexicon: Lexicon | Path | str | None, phones: str | Sequence[str] | None, config: RecipeConfig
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
        lexicon = read_lexicon(lexicon, lexicon_phones(phone_set), config.corpus.broad_ipa)
    return spoken_words(words or "", lexicon, phone_set)
