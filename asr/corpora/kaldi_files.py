"""Kaldi's tables (wav.scp, text, utt2spk, ...): a key, white space and a value a line."""

from dataclasses import dataclass
from pathlib import Path

from asr.errors import InputError
from asr.storage.text import read_lines


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a table, and its line for messages."""

    value: str
    line: int


def read_table(path: Path) -> dict[str, Entry]:
    """The values of a table by their keys, in the file's order. Blank lines are ignored.

    Raises InputError for a file that is missing, empty or not text, and for a line without a value or with a key that
    an earlier line has.
    """
    table: dict[str, Entry] = {}
    for number, line in read_lines(path):
        key, *rest = line.split(maxsplit=1)[:2] or [""]
        if not key:
            continue
        if not rest:
            raise InputError(f"{key!r} has no value: is the line truncated? Copy the file again", path, number)
        if key in table:
            raise InputError(f"{key!r} is already on line {table[key].line}; remove one", path, number)
        table[key] = Entry(rest[0].rstrip(), number)
    if not table:
        raise InputError("is empty; copy it again", path)
    return table
