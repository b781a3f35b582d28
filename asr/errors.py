"""The exception for a user's mistakes, which the command line prints as a single line."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

MOST_NAMED = 5


class InputError(Exception):
    """Bad input: the message is one line with the file, the field and the fix.

    `where` is the file, with an optional line number; it comes before the message.
    """

    def __init__(self, message: str, where: Path | str | None = None, line: int | None = None) -> None:
        place = "" if where is None else f"{where}: " if line is None else f"{where}:{line}: "
        super().__init__((place + message).replace("\n", " "))


class OutputError(InputError):
    """An output cannot be written (a full disk, no permission), so neither can the others."""


def listed(names: Iterable[str]) -> str:
    """The first few of many names."""
    first = list(islice(names, MOST_NAMED + 1))
    return ", ".join([*first[:MOST_NAMED], "..."] if len(first) > MOST_NAMED else first)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out. PyTorch raises a RuntimeError that says so; checking its own type would import torch."""
    words = ("out of memory", "can't allocate memory", "cannot allocate memory")
    message = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError | OSError) and any(word in message for word in words)
    )


def is_interrupt(error: BaseException | None) -> bool:
    """Ctrl-C in compiled code arrives as an error of the interpreter, with the interrupt as its cause."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
