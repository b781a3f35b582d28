"""The folder form of a report: the report, and the error browser with its data in parts, pictures and sound.

Names from the corpus are data only: files are numbered, and the page shows names as text.
"""

import json
import logging
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from asr.errors import InputError, count
from asr.phones.manner import MANNERS, manner
from asr.progress import track
from asr.report.browser.pictures import SPECTROGRAM, WAVEFORM, picture
from asr.report.browser.sound import Audio, flac, link, read_recorded
from asr.report.browser.utterances import ShownUtterance, shown_utterances
from asr.report.report import page_with_examples
from asr.report.run_files import RunFiles, read_run
from asr.report.svg import STYLES
from asr.storage.files import complete_file, remove, synced_together, write_text
from asr.storage.run_layout import REPORT_FOLDER

log = logging.getLogger(__name__)

PAGE = "errors.html"
CHUNK = 250
"""Utterances in a file of data."""

_PAGE_FILES = Path(__file__).parent / "page"
_COPIES = "audio/"


def examples(**filters: str) -> str:
    """The address of the error browser, showing only what passes the filters.

    They are `ref`, `hyp` and `phone` (NO_PHONE for none), `speaker`, `errors`, ..., and `utterance` to show one.
    """
    return f"{PAGE}#{urlencode(filters)}"


def report_folder(run_dir: Path, audio: Audio) -> Path:
    """Writes the folder report/ into a run's folder; returns the path of its index.html.

    `link` plays the corpus's files where they are, and copies only those that no web browser plays; `embed` copies
    all; `none` reads no audio, so that there are no pictures either. Raises InputError for a folder that is not a
    finished run, and where transcripts or audio are missing.
    """
    run_dir = Path(run_dir)
    run = read_run(run_dir)
    folder = run_dir / REPORT_FOLDER
    if os.path.lexists(folder):
        remove(folder)
    with synced_together():
        chunks = _write_utterances(folder, run_dir, run, audio)
        _write_data(folder / "data" / "run.js", "receiveRun", _about(run_dir, run, chunks, audio))
        for path in (*sorted(_PAGE_FILES.iterdir()), STYLES):
            write_text(folder / path.name, path.read_text(encoding="utf-8"))
        write_text(folder / "index.html", page_with_examples(run_dir, run, examples))
    return folder / "index.html"


def _write_utterances(folder: Path, run_dir: Path, run: RunFiles, audio: Audio) -> int:
    """Writes the utterances' data, pictures and sound; returns the number of files of data."""
    rows: list[dict[str, Any]] = []
    chunks = copied = 0
    total = len(run.utterances)
    for number, shown in enumerate(track(shown_utterances(run_dir, run), "Error browser", total), 1):
        row = dict(shown.row)
        if audio != "none":
            sound = _write_media(folder, number, shown, audio)
            copied += sound.startswith(_COPIES)
            row |= {"picture": f"pictures/{number:05}.png", "audio": sound}
        rows.append(row)
        if len(rows) == CHUNK or number == total:
            _write_data(folder / "data" / f"utterances-{chunks}.js", "receiveUtterances", rows)
            chunks, rows = chunks + 1, []
    if audio == "link" and copied:
        log.info("%s copied: web browsers cannot play the original", count(copied, "recording"))
    return chunks


def _write_media(folder: Path, number: int, shown: ShownUtterance, audio: Audio) -> str:
    """Writes the picture, and the sound if it is copied; returns the address of the sound."""
    if shown.recorded is None:
        raise InputError(f"the recording of utterance {shown.name} is not known; use --audio none")
    samples = read_recorded(shown.recorded)
    _write_bytes(folder / "pictures" / f"{number:05}.png", picture(samples))
    linked = link(shown.recorded, folder) if audio == "link" else None
    if linked is None:
        linked = f"{_COPIES}{number:05}.flac"
        _write_bytes(folder / linked, flac(samples))
    return linked


def _about(run_dir: Path, run: RunFiles, chunks: int, audio: Audio) -> dict[str, Any]:
    results = run.results
    classes = {phone: manner(phone, run.phone_set) for phone in run.phone_set}
    return {
        "title": str(results.get("recipe", run_dir.name)),
        "per": results["counted"]["per"],
        "utterances": len(run.utterances),
        "chunks": chunks,
        "audio": audio,
        "picture": [WAVEFORM, SPECTROGRAM],
        "phones": list(run.phone_set),
        "classOf": list(classes.items()),
        "classes": [name for name in MANNERS if name in classes.values()],
    }


def _write_data(path: Path, receiver: str, value: object) -> None:
    """A script that hands JSON text to a function: pages opened as files can load scripts, but cannot fetch."""
    write_text(path, f"{receiver}({json.dumps(json.dumps(value))})\n")


def _write_bytes(path: Path, content: bytes) -> None:
    with complete_file(path, "wb") as file:
        file.write(content)
