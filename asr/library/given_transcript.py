"""The transcript that `Recognizer.align` is given."""

from collections.abc import Iterator, Mapping, Sequence
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
        read = load_pronouncer([lexicon], lexicon_phones(phone_set), broad_ipa=config.corpus.broad_ipa).lexicon
        return spoken_words(words or "", read, phone_set)
    return spoken_words(words or "", _Given(lexicon), phone_set)


class _Given(Mapping[str, list[tuple[str, ...]]]):
    """A mapping of a user as a lexicon; only the words that are looked up are read, as it may be a whole dictionary."""

    def __init__(self, given: Pronunciations) -> None:
        self._given = given

    def __getitem__(self, word: str) -> list[tuple[str, ...]]:
        given = self._given[word]
        several = [given] if isinstance(given, str) else given
        split = [tuple(each.split() if isinstance(each, str) else each) for each in several]
        if not split or () in split:
            raise InputError(f"lexicon: word {word!r} has no phones; add them or remove it")
        return split

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)
