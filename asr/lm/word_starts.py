"""Word starts in the language model: a phone that begins a word is a separate symbol there.

So an n-gram knows where words end, like Kaldi's position-dependent phones, without a lexicon. The acoustic model has
one phone for both, and the search takes whichever of the two is likelier.
"""

from collections.abc import Iterable, Sequence

from asr.phones.symbols import WORD_START


def symbols(phones: Sequence[str]) -> list[str]:
    """The symbols of a language model with word starts."""
    return [*phones, *(phone + WORD_START for phone in phones)]


def phone_of(symbol: str) -> str:
    """The phone that a symbol of a language model stands for."""
    return symbol.removesuffix(WORD_START)


def mark_word_starts(phones: Iterable[str], words: Iterable[Sequence[str]], pauses: Sequence[str]) -> list[str]:
    """The symbols of an utterance's phones, which are those of its words with or without pauses between them.

    Raises ValueError where they are not.
    """
    spoken = iter([phone + WORD_START * (number == 0) for word in words for number, phone in enumerate(word)])
    marked = [phone if phone in pauses else next(spoken, "") for phone in phones]
    if next(spoken, None) is not None or [phone_of(symbol) for symbol in marked] != list(phones):
        raise ValueError("the phones are not those of the words")
    return marked
