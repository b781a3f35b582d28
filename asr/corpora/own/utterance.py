"""An utterance as the files of a corpus describe it, before its audio and its phones are checked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Segment = tuple[float, float, str]
"""Start and end in seconds from the utterance's start, and label; an empty label is silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """An utterance: a whole audio file, or the part of it from `start` on for `duration` seconds (None: to its end),
    and one `channel` of it, from 0 (None: the mean of all).

    It has `segments` (phones with times), `phones`, or only `text`, and may have `words` with times. `where` and `line`
    are the place that describes it, for messages. `split` is train, dev or test where the corpus says so. `custom` is
    kept as it is.
    """

    id: str
    audio: Path
    where: Path
    line: int | None = None
    start: float = 0.0
    duration: float | None = None
    channel: int | None = None
    speaker: str | None = None
    gender: str | None = None
    language: str | None = None
    text: str = ""
    segments: Sequence[Segment] = ()
    phones: Sequence[str] = ()
    words: Sequence[Segment] = ()
    split: str | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)


Found = Iterable[tuple[str, Callable[[], Utterance]]]
"""The name of each utterance of a corpus, and a function that reads it, which may raise InputError."""
