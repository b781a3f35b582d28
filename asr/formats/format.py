"""A format in which transcripts can be written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from asr.formats.transcript import Transcript


@dataclass(frozen=True)
class Format:
    """A format: `write` writes transcripts below an output folder and returns the files, phones before words.

    `files` gives every file that it may write for an utterance. If the format is not `per_utterance`, they hold all
    utterances together; `check` raises InputError for one that they cannot hold.
    """

    per_utterance: bool
    files: Callable[[str], tuple[str, ...]]
    write: Callable[[Path, Iterable[Transcript]], list[Path]]
    check: Callable[[Transcript], None] = lambda transcript: None
