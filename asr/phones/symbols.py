"""Phone symbols as users write them, and the text files that hold them."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from asr.errors import InputError
from asr.formats.pauses import PAUSE
from asr.storage.text import read_lines

NO_PHONE = "-"
"""In files of phone sets and foldings: nothing."""

WORD_START = "_B"
"""Ends the symbol of a phone that begins a word, in a language model that knows where words begin; as in Kaldi."""

RESERVED = (NO_PHONE, "<s>", "</s>", PAUSE, "<blank>")
"""Symbols that the files of language models, lattices and phone sets use themselves."""

NOISES = ("spn", "nsn")
"""What other programs write for words that they do not know, and for noises."""

PERHAPS_SILENT = (PAUSE, "sp", *NOISES, "#")
"""What other programs write where there may be a pause or a noise."""

SILENT = ("sil", "pau", "h#", "<sil>")
"""What other programs write for silence."""

_STRESS = re.compile(r"[0-2]$")


def spelled(written: str, symbols: Collection[str]) -> str:
    """The one of the `symbols` that is written so, in any letter case and with a stress digit or not: AH0 is ah.

    For the sets that ship, whose symbols differ in more than that. Returns what was written where there is none.
    """
    if written in symbols:
        return written
    lower = written.lower()
    return next((symbol for symbol in (lower, _STRESS.sub("", lower)) if symbol in symbols), written)


def check_symbol(symbol: str) -> None:
    """Raises InputError for what cannot be a phone's symbol."""
    if symbol.split() != [symbol]:
        raise InputError(f"symbol {symbol!r} is empty or has white space in it; write one phone")
    if symbol in RESERVED or symbol.endswith(WORD_START):
        raise InputError(f"symbol {symbol!r} is reserved, as {', '.join(RESERVED)} and ...{WORD_START} are; rename it")


def read_table(path: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    """The line number and columns of each line, filled up with `-` to as many as `columns`.

    Blank lines and those that begin with `# ` are comments; a symbol may begin with the sign alone. Raises InputError
    for a file that cannot be read, a line with more columns, and a symbol (first column) that occurs twice or cannot be
    one.
    """
    first: dict[str, int] = {}
    for number, line in read_lines(path):
        if not line.strip() or line.startswith("# "):
            continue
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) > columns:
            raise InputError(f"expected at most {columns} columns, found {len(fields)}", path, number)
        symbol = fields[0]
        if symbol.split() != [symbol]:
            message = f"symbol {symbol!r} is empty or has white space in it; separate columns with a tab"
            raise InputError(message, path, number)
        try:
            check_symbol(symbol)
        except InputError as error:
            raise InputError(str(error), path, number) from error
        if symbol in first:
            raise InputError(f"symbol {symbol!r} is already on line {first[symbol]}; remove one", path, number)
        first[symbol] = number
        yield number, [field or NO_PHONE for field in fields] + [NO_PHONE] * (columns - len(fields))
    if not first:
        raise InputError("holds no symbols; write one on each line", path)
