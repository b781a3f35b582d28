"""What a format is: how transcripts are written in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from asr.formats.transcript import Transcript


@dataclass(frozen=True)
class Format:
    """`write` writes transcripts, which it may iterate more than once, below an output folder and returns the files;
    `files` names all that it may write for an utterance. A format that is not `per_utterance` has files for all of them
    together.
    """

    per_utterance: bool
    files: Callable[[str], tuple[str, ...]]
    write: Callable[[Path, Iterable[Transcript]], list[Path]]
