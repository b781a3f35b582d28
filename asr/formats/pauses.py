"""Pauses in transcripts: where a file of labelled times leaves a stretch between two labels empty."""

from collections.abc import Iterable, Iterator

PAUSE = "<eps>"
"""In the text of a phone transcript: perhaps a silence. No phone set can have this symbol."""

SHORTEST_GAP = 0.001
"""Seconds between two segments that count as a pause; less is rounding."""


def with_pauses(segments: Iterable[tuple[float, float, str]]) -> Iterator[str]:
    """The labels of (start, end, label) in seconds, with one PAUSE between two that have an empty label or a gap
    between them."""
    reached: float | None = None
    for start, end, label in segments:
        if not label:
            continue
        if reached is not None and start - reached >= SHORTEST_GAP:
            yield PAUSE
        yield label
        reached = end
