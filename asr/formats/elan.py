"""ELAN annotation files (EAF 3.0, https://www.mpi.nl/tools/elan/EAFv3.0.xsd): a tier of phones and one of words.

The document's date is a constant, so that the same transcript gives the same file.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from asr.formats.tiers import one_file, tiers, timed
from asr.formats.transcript import Transcript
from asr.storage.files import write_text

DATE = "1970-01-01T00:00:00+00:00"
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
TYPE = "label"
"""The linguistic type of the tiers: aligned with time, without a parent."""

MIME_TYPES = {".wav": "audio/x-wav", ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".m4a": "audio/mp4"}

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def eaf(transcript: Transcript) -> str:
    """The text of an ELAN file, with times rounded to ms, from the beginning of the file that is linked.

    Raises InputError for a phone or word without times.
    """
    annotated = [(tier, list(_annotations(labels))) for tier, labels in tiers(transcript)]
    slots = sorted({time for _, found in annotated for start, end, _ in found for time in (start, end)})
    names = {time: f"ts{number}" for number, time in enumerate(slots, 1)}
    participant = f" PARTICIPANT={_quoted(transcript.speaker)}" if transcript.speaker else ""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<ANNOTATION_DOCUMENT AUTHOR="asr" DATE="{DATE}" FORMAT="3.0" VERSION="3.0" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{SCHEMA}">',
        '<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">',
        *_media(transcript.audio),
        "</HEADER>",
        "<TIME_ORDER>",
        *(f'<TIME_SLOT TIME_SLOT_ID="{names[time]}" TIME_VALUE="{time}"/>' for time in slots),
        "</TIME_ORDER>",
    ]
    count = 0
    for tier, found in annotated:
        lines.append(f'<TIER TIER_ID="{tier}" LINGUISTIC_TYPE_REF="{TYPE}"{participant}>')
        for start, end, label in found:
            count += 1
            lines.append(
                f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{count}" TIME_SLOT_REF1="{names[start]}" '
                f'TIME_SLOT_REF2="{names[end]}"><ANNOTATION_VALUE>{escape(_valid(label))}</ANNOTATION_VALUE>'
                "</ALIGNABLE_ANNOTATION></ANNOTATION>"
            )
        lines.append("</TIER>")
    lines += [
        f'<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="{TYPE}" TIME_ALIGNABLE="true" GRAPHIC_REFERENCES="false"/>',
        "</ANNOTATION_DOCUMENT>",
    ]
    return "\n".join(lines) + "\n"


def _annotations(labels: Transcript) -> Iterator[tuple[int, int, str]]:
    """Start, end (ms of the recording) and label; none overlaps the one before it or is shorter than 1 ms, as ELAN
    requires."""
    before, shift = 0, labels.start or 0.0
    for start, end, segment in timed(labels, "ELAN"):
        first = max(round((start + shift) * 1000), before)
        before = max(round((end + shift) * 1000), first + 1)
        yield first, before, segment.phone


def _media(audio: str | None) -> list[str]:
    if audio is None:
        return []
    path = Path(audio)
    url = path.as_uri() if path.is_absolute() else quote(audio, errors="surrogateescape")
    kind = MIME_TYPES.get(path.suffix.lower(), "unknown")
    return [f"<MEDIA_DESCRIPTOR MEDIA_URL={quoteattr(url)} MIME_TYPE={quoteattr(kind)}/>"]


def _quoted(text: str) -> str:
    return quoteattr(_valid(text))


def _valid(text: str) -> str:
    """The text with an escape such as `\\x01` for each character that XML cannot hold."""
    return _NOT_IN_XML.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


FORMAT = one_file("elan", ".eaf", lambda path, transcript: write_text(path, eaf(transcript)))
