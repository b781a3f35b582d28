"""Numbers in words, by num2words (the extra `numbers`)."""

import re
from decimal import Decimal

from asr.errors import InputError
from asr.phones.words import Spell

_CARDINAL = re.compile(r"(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(\.\d{1,15})?", re.ASCII)
_ORDINAL = re.compile(r"(\d{1,15})(?:st|nd|rd|th)", re.ASCII)
_YEARS = range(1100, 2100)


def number_speller(language: str) -> Spell:
    """Spells numbers in a language (a code of num2words, such as en): 1,200, 3.5, 21st, and 1100 to 2099 as years.

    Raises InputError where num2words is not installed or does not know the language.
    """
    try:
        from num2words import CONVERTER_CLASSES, num2words
    except ImportError as error:
        raise InputError("--spell-numbers needs num2words: pip install 'asr-phones[numbers]'") from error
    if language not in CONVERTER_CLASSES:
        raise InputError(f"--spell-numbers: num2words has no language {language!r}; choose one such as en, de or fr")

    has_years = hasattr(CONVERTER_CLASSES[language], "to_year")

    def spell(token: str) -> str | None:
        if match := _ORDINAL.fullmatch(token):
            return str(num2words(int(match[1]), lang=language, to="ordinal"))
        if not (match := _CARDINAL.fullmatch(token)):
            return None
        whole = int(match[1].replace(",", ""))
        if match[2]:
            return str(num2words(Decimal(f"{whole}{match[2]}"), lang=language))
        year = match[1].isdecimal() and whole in _YEARS
        return str(num2words(whole, lang=language, to="year" if year and has_years else "cardinal"))

    return spell
