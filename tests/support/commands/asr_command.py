"""The type of the fixture `asr_command`, and reading what commands did."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    status: int
    out: str
    err: str


class Command(Protocol):
    def __call__(self, *arguments: object) -> Outcome: ...


def done(err: str) -> list[str]:
    """The stages that ran, according to standard error."""
    return [line.removesuffix(": running") for line in err.splitlines() if line.endswith(": running")]


def snapshot(folder: Path) -> dict[str, bytes]:
    """The content of each file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
