"""The folder form of a report: the report, and the error browser with its data in parts, pictures and sound.

Names from the corpus are data only: files are numbered, and the page shows names as text.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from asr.errors import InputError, count
from asr.phones.manner import MANNERS, manner
from asr.phones.phone_set import PhoneSet
from asr.progress import track
from asr.report.beside import beside_page, read_beside
from asr.report.browser.intervals import placed
from asr.report.browser.sound import Audio, flac, link
from asr.report.browser.utterances import ShownUtterance, both_shown, shown_utterances
from asr.report.pictures import SAMPLE_RATE, SPECTROGRAM, WAVEFORM, picture
from asr.report.report import page_with_examples
from asr.report.run_files import RunFiles, read_run
from asr.report.svg import STYLES
from asr.storage.files import complete_file, synced_together, write_text
from asr.storage.outputs import complete_outputs
from asr.storage.run_layout import BESIDE_FOLDER, REPORT_FOLDER

log = logging.getLogger(__name__)

INDEX, PAGE = "index.html", "errors.html"
DATA, PICTURES, COPIES = "data", "pictures", "audio"
CHUNK = 250
"""Utterances in a file of data."""

_PAGE_FILES = Path(__file__).parent / "page"


def examples(**filters: str) -> str:
    """The address of the error browser, showing only what passes the filters.

    They are `ref`, `hyp` and `phone` (NO_PHONE for none), `speaker`, `errors`, ..., and `utterance` to show one; of two
    runs also `differ`: `any`, or who is right: `first`, `second` or `neither`.
    """
    return f"{PAGE}#{urlencode(filters)}"


def report_folder(run_dir: Path, audio: Audio, intervals: bool = False) -> Path:
    """Writes the folder report/ into a run's folder; returns the path of its index.html.

    `link` plays the corpus's files where they are, and copies only those that no web browser plays; `embed` copies
    all; `none` reads no audio, so that there are no pictures either. With `intervals`, the run's model aligns both
    sides, and the browser shows how sure each boundary is. The previous report stays until this one is complete.
    Raises InputError for a folder that is not a finished run, and where transcripts or audio are missing.
    """
    run_dir = Path(run_dir)
    run = read_run(run_dir)
    page = page_with_examples(run_dir, run, examples)
    about = _about(run_dir, run) | {"intervals": intervals}
    return _write_folder(
        run_dir / REPORT_FOLDER, page, about, shown_utterances(run_dir, run, placed if intervals else None), audio
    )


def beside_folder(run_dir: Path, other: Path, audio: Audio, intervals: bool = False) -> Path:
    """Writes the folder beside-OTHER/ into a run's folder, which shows both runs; returns the path of its index.html.

    `audio`, `intervals` and errors are as for `report_folder`. Raises InputError where the runs are not scored on the
    same references.
    """
    beside = read_beside(Path(run_dir), Path(other))
    pers = [score.treatments["counted"].counts.per for score in beside.scores]
    about = _about(Path(run_dir), beside.runs[0]) | {"title": " beside ".join(beside.names)}
    about |= {"beside": {"names": beside.names, "pers": pers}, "intervals": intervals}
    folder = Path(run_dir) / f"{BESIDE_FOLDER}{Path(other).resolve().name}"
    return _write_folder(
        folder, beside_page(beside, examples), about, both_shown(beside, placed if intervals else None), audio
    )


def _write_folder(
    folder: Path, index: str, about: dict[str, Any], utterances: Iterable[ShownUtterance], audio: Audio
) -> Path:
    names = (INDEX, *(path.name for path in _pages()), DATA, PICTURES, COPIES)
    with complete_outputs(folder, names) as made, synced_together():
        followed = track(utterances, "Error browser", about["utterances"])
        write_browser(made, about | {"audio": audio}, _rows(made, folder, followed, audio))
        write_text(made / INDEX, index)
    return folder / INDEX


def write_browser(folder: Path, about: dict[str, Any], rows: Iterable[dict[str, Any]]) -> None:
    """Writes the error browser of some utterances into a folder; `about` is as `about_run` gives it, with `audio`."""
    chunks, words = 0, False
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        _write_data(folder / DATA / f"utterances-{chunks}.js", "receiveUtterances", chunk)
        chunks += 1
        words = words or any(row.get("words") for row in chunk)
    _write_data(folder / DATA / "run.js", "receiveRun", about | {"chunks": chunks, "words": words})
    for path in _pages():
        write_text(folder / path.name, path.read_text(encoding="utf-8"))


def _pages() -> list[Path]:
    return [*sorted(_PAGE_FILES.iterdir()), STYLES]


def _rows(made: Path, folder: Path, utterances: Iterable[ShownUtterance], audio: Audio) -> Iterator[dict[str, Any]]:
    """The data of the utterances, with their pictures and sound, which are written, and will be in `folder`."""
    copied = 0
    for number, shown in enumerate(utterances, 1):
        row = dict(shown.row)
        if audio != "none":
            media = _write_media(made, folder, number, shown, audio)
            copied += media["audio"].startswith(f"{COPIES}/")
            row |= media
        yield row
    if audio == "link" and copied:
        log.info("%s copied: web browsers cannot play the original", count(copied, "recording"))


def _write_media(made: Path, folder: Path, number: int, shown: ShownUtterance, audio: Audio) -> dict[str, str]:
    """Writes the picture, and the sound if it is copied; returns the addresses of both as seen from `folder`."""
    if shown.recorded is None:
        raise InputError(f"the recording of utterance {shown.name} is not known; use --audio none")
    samples = shown.recorded.samples(SAMPLE_RATE)
    drawn = f"{PICTURES}/{number:05}.png"
    _write_bytes(made / drawn, picture(samples))
    heard = link(shown.recorded, folder) if audio == "link" else None
    if heard is None:
        heard = f"{COPIES}/{number:05}.flac"
        _write_bytes(made / heard, flac(samples))
    return {"picture": drawn, "audio": heard}


def about_run(title: str, per: float, utterances: int, phone_set: PhoneSet) -> dict[str, Any]:
    """What the error browser knows of a run, but for `audio`."""
    classes = {phone: manner(phone, phone_set) for phone in phone_set}
    return {
        "title": title,
        "per": per,
        "utterances": utterances,
        "picture": [WAVEFORM, SPECTROGRAM],
        "phones": list(phone_set),
        "classOf": list(classes.items()),
        "classes": [name for name in MANNERS if name in classes.values()],
    }


def _about(run_dir: Path, run: RunFiles) -> dict[str, Any]:
    title, per = str(run.results.get("recipe", run_dir.name)), run.results["counted"]["per"]
    return about_run(title, per, len(run.utterances), run.phone_set)


def _write_data(path: Path, receiver: str, value: object) -> None:
    """A script that hands JSON text to a function: pages opened as files can load scripts, but cannot fetch."""
    write_text(path, f"{receiver}({json.dumps(json.dumps(value))})\n")


def _write_bytes(path: Path, content: bytes) -> None:
    with complete_file(path, "wb") as file:
        file.write(content)
