"""What was said, as the items of an alignment graph: phones as given, or words through a lexicon."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from asr.alignment.graph import Choice, Item
from asr.errors import InputError
from asr.phones.folding import fold, folding, folds_to
from asr.phones.lexicon import LEXICON_PHONES, Lexicon
from asr.phones.phone_set import AnyPhoneSet, PhoneSet, load_phone_set

PUNCTUATION = '.,;:!?"()[]«»“”…'


@dataclass(frozen=True)
class Spoken:
    """The items of an utterance in the phones of a model; `words` has the word of each item, None for a silence or
    where phones were given without words."""

    items: list[Item]
    words: list[str | None]


def exact_phones(symbols: Sequence[str], phone_set: AnyPhoneSet) -> Spoken:
    """Just these phones in order, folded to the model's phone set.

    Raises InputError for an unknown phone and where there are none.
    """
    numbers = load_phone_set(phone_set).numbers
    items: list[Item] = [numbers[symbol] for symbol in fold(symbols, phone_set)]
    if not items:
        raise InputError("the transcript has no phones")
    return Spoken(items, [None] * len(items))


def spoken_phones(symbols: Sequence[str], phone_set: AnyPhoneSet) -> Spoken:
    """As `exact_phones`, with an optional silence at the beginning and the end unless one is given there."""
    items = exact_phones(symbols, phone_set).items
    silent = pauses(phone_set)
    before = [] if items[0] in silent else _optional(silent)
    after = [] if items[-1] in silent else _optional(silent)
    items = [*before, *items, *after]
    return Spoken(items, [None] * len(items))


def spoken_words(text: str, lexicon: Lexicon, phone_set: AnyPhoneSet) -> Spoken:
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


def spoken_word_phones(words: Sequence[tuple[str, Sequence[str]]], phone_set: AnyPhoneSet) -> Spoken:
    """Words, each with the phones in which it was said, with optional silences around them.

    Raises InputError for an unknown phone.
    """
    numbers = load_phone_set(phone_set).numbers
    return _with_pauses(
        [(word, [[numbers[phone] for phone in fold(said, phone_set)]]) for word, said in words], phone_set
    )


def _with_pauses(words: Sequence[tuple[str, Choice]], phone_set: AnyPhoneSet) -> Spoken:
    pause = _optional(pauses(phone_set))
    items: list[Item] = [*pause]
    labels: list[str | None] = [None for _ in pause]
    for word, pronunciations in words:
        items += [pronunciations, *pause]
        labels += [word, *(None for _ in pause)]
    return Spoken(items, labels)


def pauses(phone_set: AnyPhoneSet) -> tuple[int, ...]:
    """The indices of the silences of a phone set."""
    known = load_phone_set(phone_set)
    return tuple(known.numbers[silence] for silence in known.silences)


def _optional(phones: Sequence[int]) -> list[Item]:
    """One of the phones or none of them; nothing where there are none."""
    return [(*((phone,) for phone in phones), ())] if phones else []


@cache
def _variants(symbol: str, phone_set: AnyPhoneSet) -> Choice:
    """How a phone of the lexicon may be transcribed in a model's phone set.

    Any phone that the lexicon writes so; a stop or an affricate also after its closure, and a stop also as its closure
    alone, without a release.
    """
    known = load_phone_set(phone_set)
    lexicon = lexicon_phones(known)
    folded = folding(lexicon, known) if folds_to(known, lexicon) else folding(lexicon)
    alike = [phone for phone in known.phones if folded.get(phone.symbol) == symbol]
    phones = [known.numbers[phone] for phone in [each.symbol for each in alike] or fold([symbol], known)]
    released = [(phone,) for phone in phones]
    first = next((phone for phone in alike if phone.closure), None)
    if first is None or first.closure is None:
        return tuple(released)
    closure = known.numbers[first.closure]
    closed = [(closure, phone) for phone in phones]
    return (*released, *closed, (closure,)) if first.kind == "stop" else (*released, *closed)


def lexicon_phones(phone_set: AnyPhoneSet) -> PhoneSet:
    """The phone set of the lexicons for a model: the CMU dictionary's, or the model's own where neither folds to the
    other."""
    known, dictionary = load_phone_set(phone_set), load_phone_set(LEXICON_PHONES)
    related = known.ships or folds_to(known, dictionary) or folds_to(dictionary, known)
    return dictionary if related else known
