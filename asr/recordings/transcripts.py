"""What was said in each audio file: from one list, or from one file for each."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from asr.errors import InputError, count, listed
from asr.formats.registry import READERS, Tier, reader
from asr.formats.textgrid_reader import NoTierError
from asr.progress import track
from asr.recordings.sources import Found, Source
from asr.recordings.speakers import utterances_of
from asr.storage.json_files import numbered_jsonl

log = logging.getLogger(__name__)

TEXTGRID = ".TextGrid"


class Transcripts(Protocol):
    """Where the transcripts come from."""

    def of(self, source: Source) -> str:
        """The phones or words of a file, separated by spaces. Raises InputError where they are not known."""

    def utterances(self, source: Source) -> list[Source]:
        """A recording, or its utterances with their texts, where its transcript has those of several speakers."""


class GivenText:
    """The transcript of one file, as the user wrote it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def of(self, source: Source) -> str:
        return self.text

    def utterances(self, source: Source) -> list[Source]:
        return [source]


class ListedTranscripts:
    """A JSON Lines file: `{"utterance": NAME, "text": "..."}`, or for phones a line of references.jsonl."""

    def __init__(self, path: Path, tier: Tier) -> None:
        """Raises InputError for a line without a transcript, or whose transcript differs from an earlier line's."""
        self.path = path
        self._texts: dict[str, str] = {}
        for number, row in numbered_jsonl(path):
            text = _row_text(row, tier)
            names = [name for name in (row.get("audio"), row.get("utterance")) if isinstance(name, str)]
            if text is None or not names:
                expected = '"phones": [{"phone": ...}, ...]' if tier == "phones" else '"text": "..."'
                raise InputError(f'not a transcript; expected {{"utterance": ..., {expected}}}', path, number)
            for name in names:
                if self._texts.setdefault(name, text) != text:
                    raise InputError(f"{name} has another transcript on an earlier line; keep one", path, number)

    def of(self, source: Source) -> str:
        for name in (str(source.path), source.utterance):
            if name in self._texts:
                return self._texts[name]
        raise InputError(f"has no transcript of {source.utterance}; it has {listed(self._texts)}", self.path)

    def utterances(self, source: Source) -> list[Source]:
        return [source]


def _row_text(row: dict[str, object], tier: Tier) -> str | None:
    phones, text = row.get("phones"), row.get("text")
    if tier == "phones" and isinstance(phones, list):
        symbols = [phone.get("phone") if isinstance(phone, dict) else phone for phone in phones]
        known = [symbol for symbol in symbols if isinstance(symbol, str)]
        return " ".join(known) if len(known) == len(symbols) else None
    return text if isinstance(text, str) else None


class FileTranscripts:
    """The text that a list of recordings has, or a file for each audio file, with the same name, next to it or at the
    same place below a folder; for a part of a file, with the name of the utterance.

    The first that exists of NAME.TextGrid (tier `phones` or `words`), TIMIT's NAME.phn or NAME.wrd, NAME.lab, NAME.txt;
    the next where the TextGrid does not have the tier.
    """

    def __init__(self, tier: Tier, folder: Path | None = None) -> None:
        self.tier: Tier = tier
        self.folder = folder

    def of(self, source: Source) -> str:
        if source.text is not None and (self.folder is None or source.speaker is not None):
            return source.text
        stem = self._stem(source)
        lacking = None
        for suffix, path in self._files(stem):
            try:
                return reader(self.tier, suffix)(path, self.tier, source.path)
            except NoTierError as error:
                lacking = error
        *most, last = READERS[self.tier]
        raise lacking or InputError(
            f"has no transcript: no {stem.name}{', '.join(most)} or {last} in {stem.parent}",
            source.path,
            page="alignment.md",
        )

    def utterances(self, source: Source) -> list[Source]:
        if source.part or (source.text is not None and self.folder is None):
            return [source]
        suffix, path = next(self._files(self._stem(source)), ("", source.path))
        return utterances_of(source, path, self.tier) if suffix == TEXTGRID else [source]

    def _stem(self, source: Source) -> Path:
        """The path of the transcript without its suffix; a part of a file has a transcript of its own."""
        if self.folder is not None:
            return self.folder / source.utterance
        return source.path.with_name(Path(source.utterance).name) if source.part else source.path.with_suffix("")

    def _files(self, stem: Path) -> Iterator[tuple[str, Path]]:
        """The transcripts of that path, each after its suffix as in READERS."""
        for suffix in READERS[self.tier]:
            for path in (stem.with_name(stem.name + suffix), stem.with_name(stem.name + suffix.upper())):
                if path.is_file():
                    yield suffix, path


def find_transcripts(given: Path | None, tier: Tier) -> Transcripts:
    """The transcripts in a JSON Lines file, below a folder, or next to the audio (None).

    Raises InputError where there is no such file or folder.
    """
    if given is None or given.is_dir():
        return FileTranscripts(tier, given)
    if not given.exists():
        raise InputError("no such file or folder", given)
    return ListedTranscripts(given, tier)


def divided(found: Found, transcripts: Transcripts) -> Found:
    """The recordings, those of several speakers as the utterances of each, of which a message says how many.

    Raises InputError where one of these has the name of another recording or utterance: their outputs would be one.
    """
    recordings = track(found.sources, "transcripts", len(found.sources))
    sources = [each for source in recordings for each in transcripts.utterances(source)]
    parts = [each for each in sources if each.speaker is not None]
    if parts:
        names = Counter(each.utterance for each in sources)
        if twice := next((each for each in parts if names[each.utterance] > 1), None):
            message = f"its utterance {twice.utterance!r} has the name of another; rename the file of one"
            raise InputError(message, twice.path)
        files, speakers = len({each.file for each in parts}), dict.fromkeys(each.speaker or "" for each in parts)
        message = "%s with tiers of speakers (%s): %s"
        log.info(message, count(files, "recording"), listed(speakers), count(len(parts), "utterance"))
    return replace(found, sources=sources)
