"""Lhotse cuts, which carry utterances from stage to stage, and their manifests (.jsonl.gz)."""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lhotse import AudioSource, MonoCut, Recording, SupervisionSegment
from lhotse.supervision import AlignmentItem

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, PronouncedWord, Transcript
from asr.storage.files import complete_file
from asr.storage.json_text import parse_json
from asr.storage.run_layout import fold_name

PHONES = "phones"
"""The key of the supervision's `custom` that holds the phones of a cut without times, with spaces between them."""

WORDS = "words"
"""The key of `custom` that holds the words of such a cut, each with its pronunciations: the word, then phones with
spaces between them. PHONES has the first of each word."""

CORPUS = "corpus"
"""The key of `custom` that holds where an utterance of several corpora is from."""

Convert = Callable[[Sequence[PhoneSegment]], Sequence[PhoneSegment]]
"""Writes phones in another phone set."""


def utterance_cut(
    utterance: str,
    audio: Path,
    sample_rate: int,
    samples: int,
    *,
    start: float = 0.0,
    duration: float | None = None,
    speaker: str,
    gender: str | None = None,
    language: str | None = "English",
    text: str = "",
    phones: Iterable[tuple[str, float, float]] = (),
    words: Iterable[tuple[str, float, float]] = (),
    untimed_phones: Sequence[str] = (),
    untimed_words: Sequence[tuple[str, Sequence[str]]] = (),
    custom: dict[str, Any] | None = None,
    channel: int = 0,
    channels: int = 1,
) -> MonoCut:
    """A recording, or its part from `start` on for `duration` seconds, as one cut with one supervision.

    `phones` and `words` are (symbol, start, end) in seconds from the cut's start. Where a corpus has no times,
    `untimed_phones`, or `untimed_words` with the phones of each, take their place.

    Of `channels` that the file has, the utterance is `channel` (from 0) alone; with 1, it is the mean of any that there
    are (see `asr.corpora.recorded`).

    The recording is made from the header that the caller has read (`sample_rate` in Hz, `samples`), so that thousands
    of files take seconds.
    """
    length = samples / sample_rate
    duration = length if duration is None else duration
    untimed: dict[str, Any] = {PHONES: " ".join(untimed_phones)} if untimed_phones else {}
    if untimed_words:
        untimed = _untimed([(word, [tuple(spoken)]) for word, spoken in untimed_words])
    recording = Recording(
        id=utterance,
        sources=[AudioSource(type="file", channels=list(range(channels)), source=str(audio))],
        sampling_rate=sample_rate,
        num_samples=samples,
        duration=length,
    )
    supervision = SupervisionSegment(
        id=utterance,
        recording_id=utterance,
        start=0.0,
        duration=duration,
        channel=channel,
        text=text,
        language=language,
        speaker=speaker,
        gender=gender,
        alignment=None
        if untimed
        else {tier: _items(segments) for tier, segments in (("phone", phones), ("word", words))},
        custom={**(custom or {}), **untimed} or None,
    )
    return MonoCut(
        id=utterance, start=start, duration=duration, channel=channel, supervisions=[supervision], recording=recording
    )


def with_words(cut: MonoCut, words: Sequence[PronouncedWord]) -> MonoCut:
    """The cut with its words in their pronunciations, of which the first count as its phones."""
    (supervision,) = cut.supervisions
    custom = {**(supervision.custom or {}), **_untimed(words)}
    return replace(cut, supervisions=[replace(supervision, custom=custom, alignment=None)])


def _untimed(words: Sequence[PronouncedWord]) -> dict[str, Any]:
    return {
        PHONES: " ".join(phone for _, pronunciations in words for phone in pronunciations[0]),
        WORDS: [[word, *map(" ".join, pronunciations)] for word, pronunciations in words],
    }


def with_converted(cut: MonoCut, convert: Convert) -> MonoCut:
    """The cut with its phones as `convert` writes them: with times or without, and those of pronunciations."""

    def text(symbols: str) -> str:
        return " ".join(each.phone for each in convert([PhoneSegment(symbol) for symbol in symbols.split()]))

    (supervision,) = cut.supervisions
    alignment, custom = dict(supervision.alignment or {}), dict(supervision.custom or {})
    if alignment.get("phone"):
        timed = convert(phone_segments(cut))
        alignment["phone"] = _items((each.phone, each.start or 0.0, each.end or 0.0) for each in timed)
    if custom.get(PHONES):
        custom[PHONES] = text(custom[PHONES])
    if custom.get(WORDS):
        custom[WORDS] = [[word, *dict.fromkeys(map(text, each))] for word, *each in custom[WORDS]]
    changed = replace(supervision, alignment=alignment or None, custom=custom or None)
    return replace(cut, supervisions=[changed])


def write_cuts(path: Path | str, cuts: Iterable[MonoCut]) -> int:
    """Writes a manifest as the cuts come, complete or not at all; returns how many. Same cuts, same bytes."""
    count = 0
    with (
        complete_file(path, "wb") as file,
        # Without a name and a time in the header, which would differ from run to run.
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", errors="backslashreplace", newline="\n") as lines,
    ):
        for cut in cuts:
            lines.write(_JSON.encode(_fields(cut) | {"type": type(cut).__name__}) + "\n")
            count += 1
    return count


def _fields(row: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not None: what Lhotse's `to_dict` gives, without copies of all they hold."""
    return {name: value for name in row.__dataclass_fields__ if (value := getattr(row, name)) is not None}


_JSON = json.JSONEncoder(ensure_ascii=False, default=_fields)


def read_cuts(path: Path | str) -> Iterator[MonoCut]:
    """Yields the cuts of a manifest one by one.

    Raises InputError if it is missing or broken, has an utterance twice, or is asked for in a folder of folds.
    """
    utterances: set[str] = set()
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    cut = _cut(parse_json(line))
                except (AttributeError, LookupError, TypeError, ValueError) as error:
                    raise InputError("not a Lhotse cut; run the prepare stage again", path, number) from error
                if cut.id in utterances:
                    raise InputError(f"has utterance {cut.id} twice; run the prepare stage again", path, number)
                utterances.add(cut.id)
                yield cut
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        if isinstance(error, FileNotFoundError) and (Path(path).parent / fold_name(1)).is_dir():
            raise InputError(f"has folds; give one, such as its {fold_name(1)}", Path(path).parent) from error
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a complete .gz file"
        raise InputError(f"cannot read: {reason}; run the prepare stage again", path) from error


def has_times(cut: MonoCut) -> bool:
    """Whether a cut has phones with times."""
    return bool((cut.supervisions[0].alignment or {}).get("phone"))


def phone_segments(cut: MonoCut) -> list[PhoneSegment]:
    """The phones of a cut with their times in seconds. Raises InputError when it has no phones with times."""
    if not has_times(cut):
        raise InputError(f"utterance {cut.id} has no phones with times; set training.flat_start, or training.loss: ctc")
    return [PhoneSegment(item.symbol, item.start, item.end) for item in (cut.supervisions[0].alignment or {})["phone"]]


def phone_sequence(cut: MonoCut) -> list[str]:
    """The phones of a cut in order, with times or without. Raises InputError when it has no phones."""
    return [segment.phone for segment in _phones(cut)]


def has_phones(cut: MonoCut) -> bool:
    """Whether a cut has phones, with times or without."""
    supervision = cut.supervisions[0]
    return bool((supervision.custom or {}).get(PHONES) or (supervision.alignment or {}).get("phone"))


def has_words(cut: MonoCut) -> bool:
    """Whether a cut has words with their phones."""
    return bool((cut.supervisions[0].custom or {}).get(WORDS))


def word_phones(cut: MonoCut) -> list[PronouncedWord]:
    """The words of a cut without times, each with its pronunciations: one where the corpus has the phones.

    Raises InputError when the cut does not have them.
    """
    if not has_words(cut):
        raise InputError(f"utterance {cut.id} has no words with their phones")
    words = cut.supervisions[0].custom[WORDS]
    return [(word, [tuple(each.split()) for each in pronunciations]) for word, *pronunciations in words]


def reference(cut: MonoCut) -> Transcript:
    """The transcript of a cut: its phones as they are in the corpus, unfolded, with times where the corpus has them.

    Where a word has several pronunciations, the transcript has those of all words. Raises InputError when it has no
    phones.
    """
    words = word_phones(cut) if has_words(cut) else []
    return Transcript(
        utterance=cut.id,
        phones=_phones(cut),
        speaker=cut.supervisions[0].speaker,
        audio=cut.recording.sources[0].source,
        duration=cut.duration,
        pronunciations=words if any(len(pronunciations) > 1 for _, pronunciations in words) else [],
        corpus=(cut.supervisions[0].custom or {}).get(CORPUS),
    )


def _phones(cut: MonoCut) -> list[PhoneSegment]:
    untimed = (cut.supervisions[0].custom or {}).get(PHONES)
    return [PhoneSegment(phone) for phone in untimed.split()] if untimed else phone_segments(cut)


def _items(segments: Iterable[tuple[str, float, float]]) -> list[AlignmentItem]:
    # Rounded as Lhotse rounds its own sums; a sample at 16 kHz is 0.0000625 s and stays exact.
    return [AlignmentItem(symbol, start, round(end - start, 8)) for symbol, start, end in segments]


def _cut(row: dict) -> MonoCut:
    if row.pop("type", "MonoCut") != "MonoCut" or not row["supervisions"] or not row["recording"]:
        raise ValueError("not a cut of one supervised recording")
    if not isinstance(row["id"], str):
        raise ValueError("its id is not text")
    cut = MonoCut.from_dict(row)
    channels = cut.recording.sources[0].channels
    if len(channels) > 1 and cut.channel not in channels:
        raise ValueError(f"its channel {cut.channel} is not one of its file's")
    return cut
