"""A TextGrid with a tier of phones."""

from collections.abc import Sequence
from pathlib import Path

from praatio import textgrid


def write_textgrid(path: Path, phones: Sequence[tuple[float, float, str]]) -> None:
    """Phones as (start, end, label), in seconds; an empty label is silence."""
    grid = textgrid.Textgrid()
    grid.addTier(textgrid.IntervalTier("phones", [each for each in phones if each[2]], 0, phones[-1][1]))
    grid.save(str(path), format="short_textgrid", includeBlankSpaces=True)
