"""The phone labels of a corpus or a lexicon as phones of a set; where no set is given, it is made from the labels."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from asr.errors import InputError
from asr.phones.ipa import broad
from asr.phones.phone_set import Phone, PhoneSet, make_phone_set
from asr.phones.symbols import NOISES, PERHAPS_SILENT, SILENT, check_symbol, spelled

SILENCE = "sil"
"""The silence of a set that is made from labels."""

DERIVED = "phones"
"""The name of such a set."""

WORD_LETTERS = 4
"""Symbols of phones have fewer letters, and most words of a text have as many; marks such as ː and ʰ do not count."""


class Labels:
    """Finds the phone of each label: an empty one, and those that other programs write, are silence."""

    def __init__(self, phone_set: PhoneSet | None, broad_ipa: bool = False) -> None:
        """With None, any label is a phone, and `phone_set` is the set of them.

        With `broad_ipa`, labels are IPA: a phone is a letter, whatever its diacritics, unless the set has it with them.
        """
        self._given = phone_set
        self._broad = broad_ipa
        self._known: dict[str, str | None] = {}

    def phones(self, labels: Sequence[str]) -> list[str]:
        """The phones of labels; without those of silence, where the set has none. Raises InputError for an unknown
        one."""
        return [phone for label in labels if (phone := self.phone(label)) is not None]

    def phone(self, label: str) -> str | None:
        """The phone of a label; None for silence in a set that has none. Raises InputError for an unknown one."""
        if label not in self._known:
            self._known[label] = self._find(label)
        return self._known[label]

    def is_spoken(self, label: str) -> bool:
        """Whether a label is that of a sound, not of a pause; a noise is a sound. Raises InputError as `phone`."""
        if (phone := self.phone(label)) is None:
            return False
        if label.lower() in NOISES:
            return True
        return not _is_silent(phone) if self._given is None else phone not in self._given.unspoken

    @property
    def phone_set(self) -> PhoneSet | None:
        """The set of the phones; None where there are none. One that is made from labels always has a silence."""
        if self._given is not None:
            return self._given
        symbols = {phone for phone in self._known.values() if phone}
        if not symbols:
            return None
        silent = sorted(symbol for symbol in symbols - {SILENCE} if _is_silent(symbol))
        phones = [Phone(symbol, "silence") for symbol in [SILENCE, *silent]]
        spoken = sorted(symbols - {SILENCE, *silent})
        phones += [Phone(symbol, ipa=symbol if self._broad else None) for symbol in spoken]
        return make_phone_set(DERIVED, phones, {})

    def _find(self, label: str) -> str | None:
        if self._given is None:
            letter = broad(label) if self._broad and not _is_silent(label) else _composed(label)
            if letter:
                check_symbol(letter)
            return letter or SILENCE  # composed, so that ã is one phone, however many characters it is typed with
        if (phone := phone_of(label, self._given, self._broad)) is not None:
            return phone
        if not label or _is_silent(label):
            return next(iter(self._given.silences), None)
        raise InputError(
            f"unknown phone {label!r}: it is not in {self._given}; correct it, or give a phone set that has it"
        )


def phone_of(label: str, phone_set: PhoneSet, broad_ipa: bool = False) -> str | None:
    """The phone of a set that a label stands for; None where it has no such phone.

    Characters may be composed or not. In the sets that ship, letters may have any case, and vowels a stress digit. With
    `broad_ipa`, a narrow label that the set does not have is its letter.
    """
    for form in (label, _composed(label), *([broad(label)] if broad_ipa and not _is_silent(label) else [])):
        phone = spelled(form, phone_set) if phone_set.ships else form
        if phone in phone_set:
            return phone
    return None


def _composed(label: str) -> str:
    return unicodedata.normalize("NFC", label)


def _is_silent(label: str) -> bool:
    return label.lower() in (*SILENT, *PERHAPS_SILENT)


def words_among(symbols: Iterable[str]) -> list[str]:
    """The symbols that look like words, if most of them do."""
    symbols = list(symbols)
    found = [symbol for symbol in symbols if _letters(symbol) >= WORD_LETTERS]
    return found if 2 * len(found) > len(symbols) else []


def are_phones(texts: Iterable[str], phone_set: PhoneSet) -> bool:
    """Whether most words of texts are symbols of phones."""
    words = Counter(word for text in texts for word in text.split())
    phones = sum(times for word, times in words.items() if spelled(word, phone_set) in phone_set)
    return 2 * phones > words.total()


def _letters(symbol: str) -> int:
    return sum(unicodedata.category(character) in ("Ll", "Lu", "Lt", "Lo") for character in symbol)
