"""The phone sets of TIMIT, the foldings 61 -> 48 -> 39 of Lee & Hon (1989), and the CMU dictionary's 39 phones.

The table is data/phones/timit.tsv.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Literal, get_args

from asr.data_files import data_path
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment

PhoneSetName = Literal["timit61", "timit48", "cmu39", "timit39"]

PHONE_SETS: tuple[PhoneSetName, ...] = get_args(PhoneSetName)
"""Each can be folded to those after it."""

_COLUMNS = PHONE_SETS
_NO_PHONE = "-"


@cache
def _table() -> tuple[tuple[str, ...], ...]:
    """The rows of the folding table: one symbol for each of the sets."""
    lines = data_path("phones", "timit.tsv").read_text(encoding="utf-8").splitlines()
    # "# " and not "#": a symbol may hold the sign, as h# does.
    return tuple(tuple(line.split("\t")) for line in lines if not line.startswith("# "))


@cache
def load_phone_set(name: PhoneSetName) -> tuple[str, ...]:
    """The symbols of a phone set, in the order of the table."""
    column = _COLUMNS.index(name)
    return tuple(dict.fromkeys(row[column] for row in _table() if row[column] != _NO_PHONE))


@cache
def folding(target: PhoneSetName) -> Mapping[str, str | None]:
    """What each symbol becomes in `target`: any symbol of `target` or of a larger set; None where it is dropped (q).

    A symbol of a smaller set has no unique origin in a larger one and is left out, unless both sets share it. A symbol
    of `target` stays as it is: the t of cmu39 may have been TIMIT's t or its flap dx, and is timit39's t.
    """
    column = _COLUMNS.index(target)
    mapping: dict[str, str | None] = {}
    for row in _table():
        folded = None if row[column] == _NO_PHONE else row[column]
        for symbol in row[: column + 1]:
            if symbol != _NO_PHONE:
                mapping[symbol] = folded
    return MappingProxyType(mapping | {symbol: symbol for symbol in load_phone_set(target)})


def fold(symbols: Iterable[str], target: PhoneSetName) -> list[str]:
    """The symbols in the phone set `target`, without those that are dropped.

    Raises InputError for a symbol that `target` has no place for.
    """
    return [folded for symbol in symbols if (folded := _folded(symbol, target)) is not None]


def fold_segments(segments: Sequence[PhoneSegment], target: PhoneSetName) -> list[PhoneSegment]:
    """The segments with their phones in `target`; q is dropped and its time left empty, and nothing is merged.

    Raises InputError for a symbol that `target` has no place for.
    """
    return [
        replace(segment, phone=folded) for segment in segments if (folded := _folded(segment.phone, target)) is not None
    ]


def _folded(symbol: str, target: PhoneSetName) -> str | None:
    try:
        return folding(target)[symbol]
    except KeyError:
        raise InputError(f"unknown phone {symbol!r}: it cannot be folded to {target}") from None
