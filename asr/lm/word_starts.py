"""Word starts in the language model: a phone that begins a word is a symbol of its own there.

So an n-gram knows where words end, as Kaldi's position-dependent phones do, and needs no lexicon for it. What is heard
is the same phone: an acoustic model knows nothing of it, and search takes whichever of the two is likelier.
"""

from collections.abc import Iterable, Sequence

from asr.phones.symbols import WORD_START


def symbols(phones: Sequence[str]) -> list[str]:
    """The symbols of a language model that knows word starts."""
    return [*phones, *(phone + WORD_START for phone in phones)]


def phone_of(symbol: str) -> str:
    """The phone that a symbol of a language model stands for."""
    return symbol.removesuffix(WORD_START)


def mark_word_starts(phones: Iterable[str], words: Iterable[Sequence[str]], pauses: Sequence[str]) -> list[str]:
    """The symbols of an utterance's phones, which are those of its words, with pauses between them or not.

    Raises ValueError where they are others.
    """
    spoken = iter([phone + WORD_START * (number == 0) for word in words for number, phone in enumerate(word)])
    marked = [phone if phone in pauses else next(spoken, "") for phone in phones]
    if next(spoken, None) is not None or [phone_of(symbol) for symbol in marked] != list(phones):
        raise ValueError("the phones are not those of the words")
    return marked
