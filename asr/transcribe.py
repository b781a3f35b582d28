"""Batch transcription: many audio files in, JSON Lines and TextGrids out; what is done stays done."""

import hashlib
import json
import os
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr.audio import read_audio
from asr.errors import InputError
from asr.files import cannot_write, read_json, read_jsonl, write_json
from asr.lock import locked
from asr.progress import track
from asr.recognizer import Recognizer
from asr.textgrid import write_textgrid
from asr.transcript import Transcript, read_transcripts

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".sph", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64"}
    | {".rf64"}
)
FILES_READ_AHEAD = 4
LONGEST_NAME = 220
"""Bytes of a file's name; systems allow 255, of which the TextGrid's suffix and its name while incomplete need some."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """One audio file; `utterance` is its path below the folder it was found in, without the suffix."""

    utterance: str
    path: Path


@dataclass(frozen=True)
class Summary:
    """What became of the files."""

    transcribed: int
    skipped: int
    failed: int


def find_sources(inputs: Sequence[Path]) -> list[Source]:
    """The audio files that the inputs name, and those below the folders among them, in the order of their names.

    Where two would have one name, all of that name keep their suffix; names that are still equal keep their folder's.
    Hidden files are left out. Raises InputError for an input that does not exist, and when there is no audio file.
    """
    found: dict[Path, Path] = {}
    for given in inputs:
        if not given.exists():
            raise InputError("no such file or folder", given)
        if given.is_dir():
            found |= {_absolute(path): path.relative_to(given) for path in _audio_below(given)}
        else:
            found[_absolute(given)] = Path(given.name)
    if not found:
        raise InputError(f"no audio file; known suffixes: {' '.join(sorted(AUDIO_SUFFIXES))}", inputs[0])
    names = _distinct([(_without_suffix(name), str(name), str(path)[1:]) for path, name in found.items()])
    return [Source(name, path) for name, path in zip(names, found, strict=True)]


def _without_suffix(name: Path) -> str:
    return str(name.with_suffix("")) if name.stem.strip(".") else str(name)  # `..wav` would become a folder


def _audio_below(folder: Path) -> list[Path]:
    below = (path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file())
    return sorted(path for path in below if not path.name.startswith("."))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - links are kept as the user wrote them


def _distinct(choices: Sequence[tuple[str, ...]]) -> list[str]:
    """A name for each file, the first of its choices that no other file has; the last choices are all distinct."""
    chosen = [0] * len(choices)
    while True:
        names = [names[number] for names, number in zip(choices, chosen, strict=True)]
        counts = Counter(names)
        if len(counts) == len(names):
            return names
        chosen = [
            min(number + (counts[name] > 1), len(choices[0]) - 1) for name, number in zip(names, chosen, strict=True)
        ]


def transcribe(recognizer: Recognizer, sources: Sequence[Source], out_dir: Path) -> Summary:
    """Writes `out_dir`/transcripts.jsonl, one line a file, and `out_dir`/textgrids/NAME.TextGrid.

    A file that cannot be read is one line on standard error, and the rest goes on. Called again after an interruption
    with the same bundle, it goes on with what is not done; with another bundle it starts anew. Raises InputError where
    it cannot write (what was written stays), and where the folder holds another's work.
    """
    output = out_dir / "transcripts.jsonl"
    with locked(out_dir, "--out"):
        done = _resume(output, recognizer.bundle.folder)
        waiting = [source for source in sources if not _is_done(source, done, output)]
        try:
            with open(output, "a", encoding="utf-8", errors="backslashreplace") as lines:
                transcribed = 0
                for transcript in _transcripts(recognizer, waiting):
                    write_textgrid(out_dir / "textgrids" / f"{transcript.utterance}.TextGrid", transcript)
                    lines.write(json.dumps(transcript.to_json(), ensure_ascii=False) + "\n")
                    lines.flush()
                    transcribed += 1
                os.fsync(lines.fileno())
        except OSError as error:
            raise cannot_write(output, error) from error
    return Summary(transcribed, len(sources) - len(waiting), len(waiting) - transcribed)


def find_transcript(out_dir: Path, source: Source) -> Transcript:
    """The transcript of a file that `transcribe` has done. Raises InputError where there is none."""
    output = out_dir / "transcripts.jsonl"
    for transcript in read_transcripts(output):
        if transcript.utterance == source.utterance:
            return transcript
    raise InputError(f"has no transcript of {source.utterance}", output)


def _transcripts(recognizer: Recognizer, sources: Sequence[Source]) -> Iterator[Transcript]:
    """The transcripts of the files that can be read, as they come; a line on standard error for each of the others."""
    for source, audio in track(read_ahead(sources, recognizer.sample_rate), "transcribing", len(sources)):
        try:
            check_name(source)
            yield recognizer.recognize(audio.result(), source.utterance, str(source.path))
        except InputError as error:
            print(f"asr: {error}", file=sys.stderr)


def check_name(source: Source) -> None:
    """Raises InputError for a file whose name leaves no room for what is written beside it."""
    if len(os.fsencode(source.path.name)) > LONGEST_NAME:
        raise InputError(f"its name has more than {LONGEST_NAME} bytes; shorten it", source.path)


def _resume(output: Path, bundle: Path) -> dict[str, str | None]:
    """The utterances already in `output` by the same bundle, and the audio of each; a line cut short is cut away."""
    mark = output.with_name("bundle.json")
    files = (path for path in sorted(bundle.rglob("*")) if path.is_file())
    digest = {str(path.relative_to(bundle)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    if output.exists() and not mark.is_file():
        raise InputError("was not written by asr transcribe; choose another folder with --out", output)
    if not (mark.is_file() and read_json(mark) == digest):
        output.unlink(missing_ok=True)
        write_json(mark, digest)
    if not output.is_file():
        return {}
    cut_last_line(output)
    return {str(row.get("utterance")): row.get("audio") for row in read_jsonl(output)}


def _is_done(source: Source, done: dict[str, str | None], output: Path) -> bool:
    """Raises InputError where another file of the same name was done: its TextGrid would be overwritten."""
    if source.utterance not in done:
        return False
    if done[source.utterance] != str(source.path):
        raise InputError(
            f"the folder already holds a transcript of {done[source.utterance]} by the name of {source.utterance}; "
            "choose another with --out",
            output,
        )
    return True


def cut_last_line(path: Path, block: int = 1 << 20) -> None:
    """Cuts away what stands behind the last line's end: a crash left it."""
    with open(path, "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(end - block, 0)
            file.seek(start)
            if (newline := file.read(end - start).rfind(b"\n")) >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)


def read_ahead(sources: Sequence[Source], sample_rate: int) -> Iterator[tuple[Source, "Future[Samples]"]]:
    """Reads a few files ahead in threads, so that recognition does not wait for the disk; memory stays flat."""
    with ThreadPoolExecutor(2) as pool:
        ahead: deque[tuple[Source, Future[Samples]]] = deque()
        try:
            for source in sources:
                ahead.append((source, pool.submit(read_audio, source.path, sample_rate)))
                if len(ahead) >= FILES_READ_AHEAD:
                    yield ahead.popleft()
            yield from ahead
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
