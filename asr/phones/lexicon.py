"""Pronunciation lexicons: the CMU dictionary, Kaldi's lexicon.txt, and the lexicon of speechocean762.

All three have a word and the phones of one of its pronunciations a line; a word stands on several lines, which the CMU
dictionary numbers: READ, READ(1).
"""

import re
from pathlib import Path

from asr.errors import InputError
from asr.phones.phone_set import PhoneSetName, load_phone_set

Lexicon = dict[str, list[tuple[str, ...]]]
"""Words in lower case, each with its pronunciations in the file's order."""

_COMMENT = ";;;"
_TRAILING_COMMENT = re.compile(r"\s#.*")
_NUMBERED = re.compile(r"(.+)\(\d+\)")
_STRESSES = "012"


def read_lexicon(path: Path | str, phone_set: PhoneSetName = "cmu39") -> Lexicon:
    """The pronunciations of each word, in the phones of `phone_set`, without stress, each once.

    Passes over blank lines, comments (`;;;` before, ` # ...` after) and Kaldi's words in angle brackets, such as
    `<UNK>`. Raises InputError for a missing file, one without words, and a line without phones or with an unknown one.
    """
    path = Path(path)
    phones = frozenset(load_phone_set(phone_set))
    lexicon: Lexicon = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.startswith(_COMMENT) or not (fields := _TRAILING_COMMENT.sub("", line).lower().split()):
                    continue
                if fields[0].startswith("<"):
                    continue
                pronunciations = lexicon.setdefault(_word(fields[0]), [])
                pronunciation = tuple(_phone(field, phones, phone_set, path, number) for field in fields[1:])
                if not pronunciation:
                    raise InputError(f"word {fields[0]!r} has no phones; add them or take it out", path, number)
                if pronunciation not in pronunciations:
                    pronunciations.append(pronunciation)
    except OSError as error:
        raise InputError(f"cannot read the lexicon: {error.strerror}", path) from error
    except UnicodeDecodeError as error:
        raise InputError("is not a UTF-8 text file; convert the lexicon to UTF-8", path) from error
    if not lexicon:
        raise InputError("holds no words; expected a word and its phones a line", path)
    return lexicon


def _word(field: str) -> str:
    match = _NUMBERED.fullmatch(field)
    return match[1] if match else field


def _phone(field: str, phones: frozenset[str], phone_set: PhoneSetName, path: Path, line: int) -> str:
    phone = field[:-1] if field[-1] in _STRESSES else field
    if phone not in phones:
        raise InputError(
            f"unknown phone {field.upper()!r}: it is none of {phone_set}; write the word in those", path, line
        )
    return phone
