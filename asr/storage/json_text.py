"""Parsing JSON that may come from anyone: numbers, nesting and constants have bounds."""

import json
import math
import re
from itertools import accumulate
from typing import Any

MOST_NESTED = 50
"""Levels of lists and objects inside each other."""

MOST_DIGITS = 18
"""In a whole number, which then fits into 64 bits."""

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_DIGITS_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises ValueError for what is not JSON (NaN and Infinity are not), for numbers that are too large, and for lists
    and objects that are nested too deeply.
    """
    brackets = text.count("[") + text.count("{")
    data = text.encode("utf-8", "surrogatepass")
    if brackets > MOST_NESTED and _is_deep(data):
        raise ValueError(f"lists and objects are nested more than {MOST_NESTED} deep")
    # Only floats that may be infinite are worth a call each: those with many digits or a large exponent.
    alike = data.translate(_DIGITS_ALIKE, b"+")
    return (_CAREFUL if b"0e000" in alike or b"0" * MOST_DIGITS in alike else _DECODER).decode(text)


def _is_deep(data: bytes) -> bool:
    # What is innermost goes first, all of it at once: most texts have many small objects.
    return _depth(data.translate(None, _NOT_BRACKETS).replace(b"{}", b"").replace(b"[]", b"")) > MOST_NESTED - 2 and (
        _depth(_STRING.sub(b"", data).translate(None, _NOT_BRACKETS)) > MOST_NESTED
    )


def _depth(brackets: bytes) -> int:
    return max(accumulate((1 if each in b"[{" else -1 for each in brackets), initial=0))


def _whole_number(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise ValueError(f"the number {text!r} is too large")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text!r} is too large")
    return value


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(parse_int=_whole_number, parse_constant=_refused)
_CAREFUL = json.JSONDecoder(parse_int=_whole_number, parse_float=_finite, parse_constant=_refused)
