"""What the error browser plays: the corpus's own files, or copies in the report's folder."""

import io
import os
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import soundfile

from asr.audio.waveform import Waveform
from asr.corpora.recorded import Recorded
from asr.report.pictures import SAMPLE_RATE

Audio = Literal["link", "embed", "none"]

_PLAYED = (b"RIFF", b"fLaC", b"OggS")
"""What browsers play, by its first bytes; TIMIT's NIST files are none of them."""


def link(recorded: Recorded, folder: Path) -> str | None:
    """The address of a recording as seen from a page in `folder`; None where web browsers cannot play just that: a part
    of a file, one of its channels, or another format."""
    if recorded != Recorded(recorded.path):
        return None
    with open(recorded.path, "rb") as file:
        if file.read(4) not in _PLAYED:
            return None
    path = Path(recorded.path).resolve()
    try:
        return quote(Path(os.path.relpath(path, folder.resolve())).as_posix())
    except ValueError:  # another drive
        return path.as_uri()


def flac(samples: Waveform) -> bytes:
    """The samples as a FLAC file of 16 bits."""
    packed = io.BytesIO()
    soundfile.write(packed, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return packed.getvalue()
