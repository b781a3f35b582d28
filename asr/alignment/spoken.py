"""What was said, as the items of an alignment graph: phones as given, or words through a lexicon."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from asr.alignment.graph import Choice, Item
from asr.errors import InputError
from asr.formats.transcript import PronouncedWord
from asr.phones.folding import can_fold, fold, folding, folds_to
from asr.phones.lexicon import LEXICON_PHONES, entry
from asr.phones.phone_set import AnyPhoneSet, PhoneSet, load_phone_set
from asr.phones.pronounce import fold_pronunciations
from asr.phones.symbols import PERHAPS_SILENT, SILENT
from asr.phones.words import Spell, WithoutAccents, has_digits, split_words


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
    """These phones in order, folded to the model's phone set, and silences as people and other programs write them.

    A symbol of the set is that phone. Of other symbols, those in `SILENT` are a silence, and those in `PERHAPS_SILENT`
    an optional one, as there is at the beginning and the end. Next to a silence there is no optional one. Raises
    InputError as `exact_phones`.
    """
    silent = pauses(phone_set)
    optional = _optional(silent)
    items: list[Item] = []
    speech, pause = False, True  # whether the last item is a phone in which somebody speaks, and a pause may follow it
    for item in _phones_and_pauses(symbols, load_phone_set(phone_set)):
        if item is None:
            pause = True
            continue
        spoken = isinstance(item, int) and item not in silent
        if pause and spoken and (speech or not items):
            items += optional
        items.append(item)
        speech, pause = spoken, False
    if not items:
        raise InputError("the transcript has no phones")
    if speech:
        items += optional
    return Spoken(items, [None] * len(items))


def _phones_and_pauses(symbols: Sequence[str], phone_set: PhoneSet) -> Iterator[Item | None]:
    """Phones, silences, and None for an optional silence."""
    silence: Choice = [(phone,) for phone in pauses(phone_set)]
    for symbol in symbols:
        name = symbol.lower() if phone_set.ships else symbol
        if name not in (*SILENT, *PERHAPS_SILENT) or can_fold(symbol, phone_set):
            yield from (phone_set.numbers[folded] for folded in fold([symbol], phone_set))
        else:
            yield silence if name in SILENT and silence else None


def spoken_words(
    text: str, lexicon: Mapping[str, list[tuple[str, ...]]], phone_set: AnyPhoneSet, spell: Spell | None = None
) -> Spoken:
    """The words of a text (see `split_words`), each in any of its pronunciations, with optional silences around them.

    An accent is left out where no word of the lexicon has that letter. Raises InputError that lists the words missing
    from the lexicon, and where there are no words.
    """
    words, unknown = split_words(text, lexicon, spell)
    if unknown and not text.isascii():
        known = WithoutAccents(lexicon)
        words, unknown = split_words(text, known, spell)
        words = [known.spelling(word) for word in words]
    if unknown:
        fix = "spell numbers out, or use --spell-numbers" if any(map(has_digits, unknown)) else "add them to it"
        raise InputError(f"not in the lexicon: {', '.join(dict.fromkeys(unknown))}; {fix}", page="alignment.md")
    if not words:
        raise InputError("the transcript has no words")
    return _with_pauses(
        [
            (name, [[variants(phone, phone_set) for phone in pronunciation] for pronunciation in pronunciations])
            for name, pronunciations in (entry(word, lexicon) for word in words)
        ],
        phone_set,
    )


def spoken_word_phones(words: Sequence[PronouncedWord], phone_set: AnyPhoneSet) -> Spoken:
    """Words, each in any of its pronunciations, with optional silences around them.

    Raises InputError for an unknown phone.
    """
    numbers = load_phone_set(phone_set).numbers
    return _with_pauses(
        [
            (word, [[numbers[phone] for phone in said] for said in fold_pronunciations(pronunciations, phone_set)])
            for word, pronunciations in words
        ],
        phone_set,
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


def with_pauses(phones: Sequence[int], phone_set: AnyPhoneSet) -> list[Item]:
    """Phones as items, with an optional silence before, after and between those that are not silences."""
    silent = pauses(phone_set)
    items: list[Item] = []
    after_speech = True
    for phone in phones:
        if phone not in silent and after_speech:
            items += _optional(silent)
        items.append(phone)
        after_speech = phone not in silent
    return items + (_optional(silent) if after_speech else [])


def _optional(phones: Sequence[int]) -> list[Item]:
    """One of the phones or none of them; nothing where there are none."""
    return [(*((phone,) for phone in phones), ())] if phones else []


@cache
def variants(symbol: str, phone_set: AnyPhoneSet) -> Choice:
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
