"""Audacity's label files, a label track each: lines of start, end (s) and label, separated by tabs."""

from asr.formats.tiers import on_one_line, one_each, timed
from asr.formats.transcript import Transcript


def label_lines(labels: Transcript) -> str:
    """The text of a label file. Raises InputError for a phone without times."""
    return "".join(
        f"{start:.6f}\t{end:.6f}\t{on_one_line(segment.phone)}\n" for start, end, segment in timed(labels, "Audacity")
    )


FORMAT = one_each("audacity", ".txt", label_lines)
