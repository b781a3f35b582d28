"""The exception for a user's mistakes, which the command line prints as a single line."""

import copyreg
import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Never

MOST_NAMED = 5

MOST_CHARACTERS = 500
"""A message, and the name of a file before it, are not longer."""

MOST_QUOTED = 80
"""Characters of a quoted value in a message."""

_QUOTED = re.compile(rf"(?<!\w)(['\"])((?:(?!\1)[^\\]|\\.){{{MOST_QUOTED},}})\1(?!\w)", re.DOTALL)
_READ_AT_MOST = 100_000


class InputError(Exception):
    """Bad input: the message is one line with the file, the field and the fix.

    `where` is the file, with an optional line number; it comes before the message. Quoted values and whole messages
    that are too long are shortened, and control characters are made visible. `page` is a file of docs/ that explains
    more; the message ends with it.
    """

    def __init__(
        self, message: str, where: Path | str | None = None, line: int | None = None, page: str | None = None
    ) -> None:
        place = "" if where is None else f"{shortened(str(where), MOST_CHARACTERS)}: "
        if where is not None and line is not None:
            place = f"{place[:-2]}:{line}: "
        message = _QUOTED.sub(_short_quote, shortened(message, _READ_AT_MOST))
        see = "" if page is None else f"; see docs/{page}"
        super().__init__(printable((place + shortened(message, MOST_CHARACTERS) + see).replace("\n", " ")))

    def __reduce__(self) -> tuple[object, ...]:
        return copyreg.__newobj__, (type(self), *self.args)  # type: ignore[attr-defined]  # the message as it is


class OutputError(InputError):
    """An output cannot be written (a full disk, no permission), so neither can the others."""


def refuse(error: InputError) -> Never:
    """Raises the error: in place of a function that would read what is known to be broken."""
    raise error


def listed(names: Iterable[str]) -> str:
    """The first few of many names."""
    first = list(islice(names, MOST_NAMED + 1))
    return ", ".join([*first[:MOST_NAMED], "..."] if len(first) > MOST_NAMED else first)


def count(number: int, noun: str) -> str:
    """A number with its noun, in the plural where needed."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """The text with an escape such as `\\x1b` for each character that a terminal does not print or may obey."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def shortened(text: str, most: int) -> str:
    """At most about `most` characters of a text: its beginning and its end."""
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail]} ... {text[-tail:]}"


def _short_quote(match: re.Match[str]) -> str:
    quote, content = match.groups()
    return f"{quote}{shortened(content, MOST_QUOTED)}{quote}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out. PyTorch raises a RuntimeError that says so; checking its own type would import torch."""
    words = ("out of memory", "can't allocate memory", "cannot allocate memory")
    message = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError | OSError) and any(word in message for word in words))
    )


def gpu_failure(error: BaseException) -> str | None:
    """What a GPU says when it fails for another reason than its memory, after which the process cannot use it; None for
    other errors."""
    if type(error).__name__ != "AcceleratorError" or is_out_of_memory(error):
        return None
    return str(error).partition("\n")[0].removeprefix("CUDA error: ")


def is_interrupt(error: BaseException | None) -> bool:
    """Ctrl-C in compiled code arrives as an error of the interpreter, with the interrupt as its cause."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
