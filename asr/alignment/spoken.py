"""What was said, as the items of an alignment graph: phones as given, or words through a lexicon."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from lhotse import MonoCut

from asr.alignment.graph import Choice, Item
from asr.corpora.cuts import WORDS, phone_sequence, word_phones
from asr.errors import InputError
from asr.phones.lexicon import Lexicon
from asr.phones.phone_set import PhoneSetName, fold, folding, load_phone_set
from asr.phones.silence import PAUSES

LEXICON_PHONES: PhoneSetName = "cmu39"
CLOSURES = {"b": "bcl", "d": "dcl", "g": "gcl", "p": "pcl", "t": "tcl", "k": "kcl", "jh": "dcl", "ch": "tcl"}
"""The closures of stops and affricates. TIMIT's transcription has separate phones for closure and release, a dictionary
has one phone for both."""
PUNCTUATION = '.,;:!?"()[]«»“”…'


@dataclass(frozen=True)
class Spoken:
    """The items of an utterance in the phones of a model; `words` has the word of each item, None for a silence or
    where phones were given without words."""

    items: list[Item]
    words: list[str | None]


def exact_phones(symbols: Sequence[str], phone_set: PhoneSetName) -> Spoken:
    """Just these phones in order, folded to the model's phone set.

    Raises InputError for an unknown phone and where there are none.
    """
    index = _index(phone_set)
    items: list[Item] = [index[symbol] for symbol in fold(symbols, phone_set)]
    if not items:
        raise InputError("the transcript has no phones")
    return Spoken(items, [None] * len(items))


def spoken_phones(symbols: Sequence[str], phone_set: PhoneSetName) -> Spoken:
    """As `exact_phones`, with an optional silence at the beginning and the end unless one is given there."""
    items = exact_phones(symbols, phone_set).items
    silent = pauses(phone_set)
    before = [] if items[0] in silent else [_optional(silent)]
    after = [] if items[-1] in silent else [_optional(silent)]
    items = [*before, *items, *after]
    return Spoken(items, [None] * len(items))


def spoken_words(text: str, lexicon: Lexicon, phone_set: PhoneSetName) -> Spoken:
    """The words of a text, each in any of its pronunciations, with optional silences around them.

    Letter case and punctuation around a word are ignored. Raises InputError that lists the words missing from the
    lexicon, and where there are no words.
    """
    words = [word for token in text.split() if (word := token.lower().strip(PUNCTUATION)) and word.strip("-–—'")]
    if not words:
        raise InputError("the transcript has no words")
    if unknown := [word for word in dict.fromkeys(words) if word not in lexicon]:
        raise InputError(f"not in the lexicon: {', '.join(unknown)}; add them to it")
    return _with_pauses(
        [
            (word, [[_variants(phone, phone_set) for phone in pronunciation] for pronunciation in lexicon[word]])
            for word in words
        ],
        phone_set,
    )


def spoken_word_phones(words: Sequence[tuple[str, Sequence[str]]], phone_set: PhoneSetName) -> Spoken:
    """Words, each with the phones in which it was said, with optional silences around them.

    Raises InputError for an unknown phone.
    """
    index = _index(phone_set)
    return _with_pauses(
        [(word, [[index[phone] for phone in fold(said, phone_set)]]) for word, said in words], phone_set
    )


def spoken_in(cut: MonoCut, phone_set: PhoneSetName) -> Spoken:
    """What is said in a cut, in a model's phones; with optional silences between its words where these are known."""
    if (cut.supervisions[0].custom or {}).get(WORDS):
        return spoken_word_phones(word_phones(cut), phone_set)
    return spoken_phones(phone_sequence(cut), phone_set)


def _with_pauses(words: Sequence[tuple[str, Choice]], phone_set: PhoneSetName) -> Spoken:
    pause = _optional(pauses(phone_set))
    items: list[Item] = [pause]
    labels: list[str | None] = [None]
    for word, pronunciations in words:
        items += [pronunciations, pause]
        labels += [word, None]
    return Spoken(items, labels)


@cache
def _index(phone_set: PhoneSetName) -> dict[str, int]:
    return {phone: number for number, phone in enumerate(load_phone_set(phone_set))}


@cache
def pauses(phone_set: PhoneSetName) -> tuple[int, ...]:
    """The indices of the silences of a phone set."""
    return tuple(_index(phone_set)[pause] for pause in PAUSES if pause in _index(phone_set))


def _optional(phones: Sequence[int]) -> Choice:
    return (*((phone,) for phone in phones), ())


@cache
def _variants(symbol: str, phone_set: PhoneSetName) -> Choice:
    """How a phone of the lexicon may be transcribed in a model's phone set.

    Any phone that folds to it; for a stop or an affricate also with its closure before it, and for a stop the closure
    alone, as it may have no release.
    """
    folded = folding(LEXICON_PHONES)
    index = _index(phone_set)
    alike = [phone for phone in load_phone_set(phone_set) if folded.get(phone) == symbol]
    phones = [index[phone] for phone in alike or fold([symbol], phone_set)]
    if symbol not in CLOSURES:
        return tuple((phone,) for phone in phones)
    closure = index[fold([CLOSURES[symbol]], phone_set)[0]]
    released = [(phone,) for phone in phones]
    closed = [(closure, phone) for phone in phones]
    return (*released, *closed, (closure,)) if symbol not in ("jh", "ch") else (*released, *closed)
