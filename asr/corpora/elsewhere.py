"""The audio that the lists of a corpus name and that is not below its folder."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from asr.corpora.list_row import Listed
from asr.corpora.lists import is_list, lhotse_file, list_rows
from asr.corpora.prepare import LHOTSE
from asr.errors import InputError
from asr.storage.json_files import json_rows
from asr.storage.text import read_packed_lines

LISTED = ("csv", "kaldi", LHOTSE)
"""The layouts whose audio may be anywhere."""


def audio_elsewhere(layout: str, corpus: Path) -> list[str]:
    """The absolute paths, sorted, of the audio files outside of a corpus's folder, or of all if it is one list.

    What cannot be read of a list is left out: reading the corpus says what is wrong with it.
    """
    if layout not in LISTED:
        return []
    read = _lhotse_files if layout == LHOTSE else _files
    inside = os.path.join(corpus, "")  # noqa: PTH118
    found: set[str] = set()
    for path in [corpus] if corpus.is_file() else sorted(filter(is_list, (corpus, *corpus.iterdir()))):
        with suppress(InputError):
            found.update(file for file in read(path) if not file.startswith(inside))
    return sorted(found)


def _files(path: Path) -> Iterator[str]:
    return (item.path for _, _, item in list_rows(path) if isinstance(item, Listed))


def _lhotse_files(path: Path) -> Iterator[str]:
    """The files of all channels of the recordings in a manifest of cuts or of recordings."""
    for line, row in json_rows(read_packed_lines(path), path):
        recording = {} if isinstance(row, InputError) else row.get("recording") or row
        with suppress(AttributeError, KeyError, TypeError, InputError):
            for source in recording.get("sources", ()):
                yield lhotse_file({"sources": [source]}, None, path, line)[0]
