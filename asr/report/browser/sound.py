"""What the error browser plays: the corpus's own files, or copies in the report's folder."""

import io
import os
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import soundfile

from asr.audio.reading import read_audio
from asr.audio.waveform import Waveform
from asr.report.browser.utterances import Recorded
from asr.report.pictures import SAMPLE_RATE

Audio = Literal["link", "embed", "none"]

_PLAYED = (b"RIFF", b"fLaC", b"OggS")
"""What browsers play, by its first bytes; TIMIT's NIST files are none of them."""


def read_recorded(recorded: Recorded) -> Waveform:
    """The samples [S] of an utterance at SAMPLE_RATE. Raises InputError as `read_audio` does."""
    return read_audio(recorded.path, SAMPLE_RATE, recorded.start, recorded.duration)


def link(recorded: Recorded, folder: Path) -> str | None:
    """The address of a recording as seen from a page in `folder`; None where web browsers cannot play just that."""
    with open(recorded.path, "rb") as file:
        if recorded.start or file.read(4) not in _PLAYED:
            return None
    path = recorded.path.resolve()
    try:
        return quote(Path(os.path.relpath(path, folder.resolve())).as_posix())
    except ValueError:  # another drive
        return path.as_uri()


def flac(samples: Waveform) -> bytes:
    """The samples as a FLAC file of 16 bits."""
    packed = io.BytesIO()
    soundfile.write(packed, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return packed.getvalue()
