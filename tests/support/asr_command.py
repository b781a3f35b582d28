"""What the fixture `asr_command` is and gives, and what runs leave behind."""

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
    """The stages that were run, as standard error names them."""
    return [line.removesuffix(": running") for line in err.splitlines() if line.endswith(": running")]


def snapshot(folder: Path) -> dict[str, bytes]:
    """What each file below a folder holds."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
