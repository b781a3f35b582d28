"""The exception for a user's mistakes, which the command line prints as a single line."""

from collections.abc import Iterable
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
    everyone = list(names)
    return ", ".join([*everyone[:MOST_NAMED], "..."] if len(everyone) > MOST_NAMED else everyone)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out. PyTorch raises a RuntimeError that says so; checking its own type would import torch."""
    words = ("out of memory", "can't allocate memory", "Cannot allocate memory")
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return any(word in str(error) for word in words)
