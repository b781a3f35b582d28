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
    table = {}
    for key, entry in read_entries(path).items():
        if isinstance(entry, InputError):
            raise entry
        table[key] = entry
    return table


def read_entries(path: Path) -> dict[str, Entry | InputError]:
    """As `read_table`, with the error in the place of an entry whose line has no value or the key of an earlier one."""
    table: dict[str, Entry | InputError] = {}
    for number, line in read_lines(path):
        key, *rest = line.split(maxsplit=1)[:2] or [""]
        if not key:
            continue
        known = table.get(key)
        if not rest:
            table[key] = InputError(f"{key!r} has no value: is the line truncated? Copy the file again", path, number)
        elif known is None:
            table[key] = Entry(rest[0].rstrip(), number)
        elif isinstance(known, Entry):
            table[key] = InputError(f"{key!r} is already on line {known.line}; remove one", path, number)
    if not table:
        raise InputError("is empty; copy it again", path)
    return table
