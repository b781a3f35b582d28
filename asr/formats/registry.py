"""The formats of transcripts: a registry of those that can be written, and one of those that can be read.

A new format is a module with a `Format` or a `read_transcript`, and a line here.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Literal, cast

from asr.errors import InputError
from asr.formats.format import Format

Tier = Literal["phones", "words"]

WRITERS = {
    "jsonl": "asr.formats.json_lines:FORMAT",
    "textgrid": "asr.formats.textgrid:FORMAT",
    "speakers": "asr.formats.speakers:FORMAT",
    "ctm": "asr.formats.ctm:FORMAT",
    "phn": "asr.formats.phn:FORMAT",
    "stm": "asr.formats.sclite:STM",
    "trn": "asr.formats.sclite:TRN",
    "csv": "asr.formats.table:CSV",
    "tsv": "asr.formats.table:TSV",
    "text": "asr.formats.plain_text:FORMAT",
    "audacity": "asr.formats.audacity:FORMAT",
    "elan": "asr.formats.elan:FORMAT",
    "webvtt": "asr.formats.webvtt:FORMAT",
}
"""Where each `Format` is (module:name), by the format's name on the command line."""

READERS: dict[Tier, dict[str, str]] = {
    "phones": {
        ".TextGrid": "asr.formats.textgrid_reader",
        ".phn": "asr.formats.phn",
        ".lab": "asr.formats.lab",
        ".txt": "asr.formats.plain_text",
    },
    "words": {
        ".TextGrid": "asr.formats.textgrid_reader",
        ".wrd": "asr.formats.phn",
        ".lab": "asr.formats.lab",
        ".txt": "asr.formats.plain_text",
    },
}
"""The module that reads the transcript from a file next to a recording, by the suffix; the first file found counts,
but for a TextGrid without such a tier."""


def writer(name: str) -> Format:
    """The format of that name. Raises InputError for an unknown one."""
    if name not in WRITERS:
        raise InputError(f"--format {name}: choose {', '.join(WRITERS)}")
    module, _, attribute = WRITERS[name].partition(":")
    return cast(Format, getattr(import_module(module), attribute))


def reader(tier: Tier, suffix: str) -> Callable[[Path, Tier, Path], str]:
    """The function that reads the phones or words of a file of that suffix, given the audio, separated by spaces.

    It raises InputError for a file that cannot be read.
    """
    return cast(Callable[[Path, Tier, Path], str], import_module(READERS[tier][suffix]).read_transcript)
