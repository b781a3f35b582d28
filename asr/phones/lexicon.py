"""Pronunciation lexicons: the CMU dictionary, Kaldi's lexicon.txt, and the lexicon of speechocean762.

In all three, a line has a word and the phones of one of its pronunciations. A word may have several lines, which the
CMU dictionary numbers: READ, READ(1).
"""

import re
from pathlib import Path

from asr.errors import InputError
from asr.phones.phone_set import AnyPhoneSet, PhoneSet, load_phone_set
from asr.phones.symbols import spelled

Lexicon = dict[str, list[tuple[str, ...]]]
"""Words in lower case, each with its pronunciations in the file's order."""

LEXICON_PHONES = "cmu39"
"""The phones of a lexicon where nothing else is said."""

_COMMENT = ";;;"
_TRAILING_COMMENT = re.compile(r"\s#.*")
_NUMBERED = re.compile(r"(.+)\(\d+\)")


def read_lexicon(path: Path | str, phone_set: AnyPhoneSet = LEXICON_PHONES) -> Lexicon:
    """The pronunciations of each word, in the phones of `phone_set`, each once.

    In the sets that ship, phones may have any letter case and a stress digit. Blank lines, comments (`;;;` before,
    ` # ...` after) and Kaldi's words in angle brackets, such as `<UNK>`, are ignored. Raises InputError for a missing
    file, one without words, and a line without phones or with an unknown one.
    """
    path = Path(path)
    phones = load_phone_set(phone_set)
    lexicon: Lexicon = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.startswith(_COMMENT) or not (fields := _TRAILING_COMMENT.sub("", line).split()):
                    continue
                word = fields[0].lower()
                if word.startswith("<"):
                    continue
                pronunciations = lexicon.setdefault(_word(word), [])
                pronunciation = tuple(_phone(field, phones, path, number) for field in fields[1:])
                if not pronunciation:
                    raise InputError(f"word {word!r} has no phones; add them or remove it", path, number)
                if pronunciation not in pronunciations:
                    pronunciations.append(pronunciation)
    except OSError as error:
        raise InputError(f"cannot read the lexicon: {error.strerror}", path) from error
    except UnicodeDecodeError as error:
        raise InputError("is not a UTF-8 text file; convert the lexicon to UTF-8", path) from error
    if not lexicon:
        raise InputError("holds no words; expected a word and its phones on each line", path)
    return lexicon


def _word(field: str) -> str:
    match = _NUMBERED.fullmatch(field)
    return match[1] if match else field


def _phone(field: str, phones: PhoneSet, path: Path, line: int) -> str:
    phone = spelled(field, phones) if phones.ships else field
    if phone not in phones:
        raise InputError(f"unknown phone {field!r}: it is not in {phones}; write the word in its phones", path, line)
    return phone
