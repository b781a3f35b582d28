"""WebVTT (https://www.w3.org/TR/webvtt1): subtitles of web pages and players, here a cue for each phone or word."""

from asr.formats.tiers import on_one_line, one_each, timed
from asr.formats.transcript import Transcript


def cues(labels: Transcript) -> str:
    """The text of a WebVTT file. Raises InputError for a phone without times.

    Times are rounded to ms; a cue must end after it starts, so the shortest has 1 ms.
    """
    text = ["WEBVTT\n"]
    for start, end, segment in timed(labels, "WebVTT"):
        first = round(start * 1000)
        last = max(round(end * 1000), first + 1)
        text.append(f"\n{_timestamp(first)} --> {_timestamp(last)}\n{_cue_text(segment.phone)}\n")
    return "".join(text)


def _timestamp(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def _cue_text(label: str) -> str:
    return on_one_line(label).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FORMAT = one_each("webvtt", ".vtt", cues)
