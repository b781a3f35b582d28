"""A transcript of one utterance: phones and words, with times and scores where they are known; one JSON line each."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, cast

from asr.errors import InputError
from asr.storage.json_files import numbered_jsonl, write_jsonl

_PHONE_KEYS = ("phone", "start", "end", "score")
_PLAIN_KEYS = frozenset(("utterance", "speaker", "audio", "duration", "corpus", "phones"))


@dataclass(frozen=True, slots=True)
class PhoneSegment:
    """One phone; `start` and `end` in seconds, `score` between 0 and 1 where a recogniser gave one."""

    phone: str
    start: float | None = None
    end: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class WordSegment:
    """A word with its times in seconds."""

    word: str
    start: float
    end: float


PronouncedWord = tuple[str, list[tuple[str, ...]]]
"""A word with its pronunciations."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the N best hypotheses of an utterance; `score` is its share, 0 to 1, of the probability of all N."""

    phones: list[PhoneSegment]
    score: float


@dataclass(frozen=True, slots=True)
class Recognised:
    """What scoring needs of a transcript: symbols and scores of the phones, one each, and of a reference from a lexicon
    the pronunciations of its words."""

    utterance: str
    speaker: str | None
    symbols: list[str]
    scores: list[float | None]
    pronunciations: Sequence[PronouncedWord] = ()
    corpus: str | None = None

    @property
    def reference(self) -> Sequence[str] | Sequence[PronouncedWord]:
        """What a hypothesis is scored against: the pronunciations where there are any, else the symbols."""
        return self.pronunciations or self.symbols


@dataclass(frozen=True, slots=True)
class Transcript:
    """The phones of one utterance, as a reference, a hypothesis or an alignment; `duration` in seconds.

    An alignment may have `words`, in `intervals` the earliest and the latest plausible time (s) of each boundary
    between two phones, one less than phones, and in `fit` how well it fits the audio, 0 to 1 (`asr.alignment.fit`). A
    recogniser may give the `nbest` hypotheses, best first. A reference from a lexicon has the `pronunciations` of its
    words; `phones` are the first of each. One from several corpora has its `corpus`, and that of a part of a recording
    its `start` (s), from which its times count.
    """

    utterance: str
    phones: list[PhoneSegment] = field(default_factory=list)
    speaker: str | None = None
    audio: str | None = None
    duration: float | None = None
    words: list[WordSegment] = field(default_factory=list)
    intervals: list[tuple[float, float]] = field(default_factory=list)
    nbest: list[Alternative] = field(default_factory=list)
    fit: float | None = None
    pronunciations: list[PronouncedWord] = field(default_factory=list)
    corpus: str | None = None
    start: float | None = None

    @property
    def symbols(self) -> list[str]:
        return [segment.phone for segment in self.phones]

    def to_json(self) -> dict[str, Any]:
        """The line of hypotheses.jsonl, references.jsonl or alignments.jsonl; without what is unknown."""
        row: dict[str, Any] = {"utterance": self.utterance}
        for key in ("speaker", "audio", "duration", "start", "corpus", "fit"):
            if (value := getattr(self, key)) is not None:
                row[key] = value
        row["phones"] = _phones_json(self.phones)
        if self.words:
            row["words"] = [{"word": word.word, "start": word.start, "end": word.end} for word in self.words]
        if self.intervals:
            row["intervals"] = [list(interval) for interval in self.intervals]
        if self.nbest:
            row["nbest"] = [{"phones": _phones_json(each.phones), "score": each.score} for each in self.nbest]
        if self.pronunciations:
            row["pronunciations"] = [[word, *map(" ".join, each)] for word, each in self.pronunciations]
        return row


def _phones_json(phones: list[PhoneSegment]) -> list[dict[str, Any]]:
    return [{key: value for key in _PHONE_KEYS if (value := getattr(segment, key)) is not None} for segment in phones]


def write_transcripts(path: Path | str, transcripts: Iterable[Transcript]) -> int:
    """Writes hypotheses.jsonl or references.jsonl; returns how many utterances."""
    return write_jsonl(path, (transcript.to_json() for transcript in transcripts))


def read_transcripts(path: Path | str) -> Iterator[Transcript]:
    """Yields the transcripts of a JSON Lines file. Raises InputError with the line and the field."""
    return (transcript for _, _, transcript in transcripts_with_rows(path))


def transcripts_with_rows(path: Path | str) -> Iterator[tuple[int, dict[str, Any], Transcript]]:
    """As `read_transcripts`, with the line's number and all that it has."""
    for number, row in numbered_jsonl(path):
        try:
            yield number, row, _from_json(row)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(_broken(error), path, number) from error


def read_recognised(path: Path | str) -> Iterator[Recognised]:
    """Yields what scoring needs of the transcripts of a JSON Lines file. Raises InputError as `read_transcripts`."""
    for number, row in numbered_jsonl(path):
        if (plain := _plain(row)) is not None:
            yield plain
            continue
        try:
            yield recognised(_from_json(row))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(_broken(error), path, number) from error


def recognised(transcript: Transcript) -> Recognised:
    """What scoring needs of a transcript."""
    return Recognised(
        transcript.utterance,
        transcript.speaker,
        transcript.symbols,
        [phone.score for phone in transcript.phones],
        tuple(transcript.pronunciations),
        transcript.corpus,
    )


def _plain(row: dict[str, Any]) -> Recognised | None:
    """What scoring needs of a row that plainly is a transcript; None for one that needs a closer look."""
    phones, utterance, speaker, audio, corpus = map(row.get, ("phones", "utterance", "speaker", "audio", "corpus"))
    if not (row.keys() <= _PLAIN_KEYS and type(phones) is list and set(map(type, phones)) <= {dict}):
        return None
    symbols, starts, ends, scores = ([phone.get(key) for phone in phones] for key in _PHONE_KEYS)
    numbers = {*map(type, starts), *map(type, ends), *map(type, scores), type(row.get("duration"))}
    texts = type(utterance) is str and {type(speaker), type(audio), type(corpus)} <= {str, NoneType}
    if not (texts and numbers <= {float, NoneType} and set(map(type, symbols)) <= {str} and all(symbols)):
        return None
    return Recognised(cast(str, utterance), speaker, symbols, scores, corpus=corpus)


def _broken(error: Exception) -> str:
    detail = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
    return f"not a transcript: {detail}"


def _from_json(row: dict[str, Any]) -> Transcript:
    phones = _phones(row["phones"], "phones")
    if not isinstance(row["utterance"], str):
        raise ValueError("utterance must be a string")
    words = [
        WordSegment(
            str(item["word"]), _time(item["start"], f"words[{index}].start"), _time(item["end"], f"words[{index}].end")
        )
        for index, item in _items(row.get("words", []), "words")
    ]
    intervals = [
        (_time(low, f"intervals[{index}]"), _time(high, f"intervals[{index}]"))
        for index, (low, high) in enumerate(row.get("intervals", ()))
    ]
    return Transcript(
        utterance=row["utterance"],
        phones=phones,
        speaker=_text(row.get("speaker"), "speaker"),
        audio=_text(row.get("audio"), "audio"),
        duration=_number(row.get("duration"), "duration"),
        words=words,
        intervals=intervals,
        nbest=[
            Alternative(
                _phones(item["phones"], f"nbest[{index}].phones"), _time(item["score"], f"nbest[{index}].score")
            )
            for index, item in _items(row.get("nbest", []), "nbest")
        ],
        fit=_number(row.get("fit"), "fit"),
        pronunciations=[_pronounced(item) for item in row.get("pronunciations", [])],
        corpus=_text(row.get("corpus"), "corpus"),
        start=_number(row.get("start"), "start"),
    )


def _pronounced(item: object) -> PronouncedWord:
    if not isinstance(item, list) or len(item) < 2 or not all(isinstance(each, str) and each.split() for each in item):
        raise ValueError(f"pronunciations must have a word and its phones, not {item!r}")
    word, *pronunciations = item
    return word, [tuple(each.split()) for each in pronunciations]


def _phones(value: object, name: str) -> list[PhoneSegment]:
    phones = []
    for index, item in _items(value, name):
        phone = item["phone"]
        if not isinstance(phone, str) or not phone:
            raise ValueError(f"{name}[{index}].phone must be a phone symbol, not {phone!r}")
        numbers = {key: _number(item.get(key), f"{name}[{index}].{key}") for key in ("start", "end", "score")}
        phones.append(PhoneSegment(phone, **numbers))
    return phones


def _items(value: object, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list, not {value!r}")
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise ValueError(f"{name}[{index}] must be an object, not {item!r}")
        yield index, item


def _text(value: object, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {value!r}")
    return value


def _time(value: object, name: str) -> float:
    if (number := _number(value, name)) is None:
        raise ValueError(f"{name} must be a number, not null")
    return number


def _number(value: object, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} must be a number, not {value!r}")
    return float(value)
