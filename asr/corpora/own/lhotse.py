"""Lhotse's manifests as JSON Lines, read by Lhotse: cuts, or recordings with supervisions.

Any corpus that Lhotse prepares comes in this way, and so do manifests that asr prepare wrote.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from lhotse import MonoCut, Recording, SupervisionSegment
from lhotse.utils import to_list

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.cuts import PHONES, WORDS
from asr.corpora.lists import lhotse_file
from asr.corpora.own.layout import require_folder, split_of
from asr.corpora.own.reading import OVERSHOOT, read_own
from asr.corpora.own.utterance import Found, Segment, Utterance
from asr.errors import InputError, refuse
from asr.storage.json_files import json_rows
from asr.storage.text import read_packed_lines

CUTS, RECORDINGS, SUPERVISIONS = "cuts", "recordings", "supervisions"
_MANIFEST = re.compile(rf"(.*[^a-z])?({CUTS}|{RECORDINGS}|{SUPERVISIONS})([^a-z].*)?\.jsonl(?:\.gz)?")
_TIERS = ("phone", "phones", "phoneme", "phonemes")


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Reads the manifests in `folder`: of cuts if there are any; their names say train, dev or test. Or one of cuts.

    Raises InputError as `read_own` does, and with the line that is not of a manifest.
    """
    if folder.is_file():
        if (match := _MANIFEST.fullmatch(folder.name.lower())) is None or match[2] != CUTS:
            message = f"is not called *{CUTS}*.jsonl.gz; give such a file, or the folder that has all manifests"
            raise InputError(message, folder)
        return read_own(config, folder.parent, _cuts(folder))
    require_folder(folder)
    return read_own(config, folder, _found(folder))


def _found(folder: Path) -> Found:
    manifests = {kind: list(_manifests(folder, kind)) for kind in (CUTS, RECORDINGS, SUPERVISIONS)}
    if manifests[CUTS]:
        for path in manifests[CUTS]:
            yield from _cuts(path)
    elif manifests[RECORDINGS] and manifests[SUPERVISIONS]:
        recordings: dict[str, dict[str, Any]] = {}
        for path in manifests[RECORDINGS]:
            yield from _recordings(path, recordings)
        for path in manifests[SUPERVISIONS]:
            yield from _supervisions(path, recordings)
    else:
        raise InputError("expected *cuts*.jsonl.gz, or *recordings* and *supervisions*, as Lhotse writes them", folder)


def _manifests(folder: Path, kind: str) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if (match := _MANIFEST.fullmatch(path.name.lower())) and match[2] == kind and path.name[0] != ".":
            yield path


def _recordings(path: Path, recordings: dict[str, dict[str, Any]]) -> Found:
    """Collects the rows of a manifest of recordings by their names; its utterances are those that cannot be read."""
    for line, row in json_rows(read_packed_lines(path), path):
        if isinstance(row, InputError):
            yield _place(path, line), partial(refuse, row)
        elif "id" in row:
            recordings[str(row["id"])] = row


def _cuts(path: Path) -> Found:
    for line, row in json_rows(read_packed_lines(path), path):
        try:
            cut, supervisions = _cut(row, path, line)
        except InputError as error:
            yield _place(path, line), partial(refuse, error)
            continue
        for each in supervisions:
            name = str(cut.id if len(supervisions) == 1 else each.id)
            yield name, partial(_utterance, name, cut.recording, each, cut.start, path, line)


def _cut(row: dict[str, Any] | InputError, path: Path, line: int) -> tuple[MonoCut, list[SupervisionSegment]]:
    """A cut of one channel, or of several of which each supervision has one."""
    with _valid("cut", path, line):
        if isinstance(row, InputError):
            raise row
        if "tracks" in row:
            raise ValueError("mixed cuts cannot be read; save their audio first")
        row = _given(row) | {"supervisions": [_given(each) for each in row.get("supervisions") or ()]}
        # Lhotse's MultiCut has the same fields, with a list of channels.
        cut = MonoCut.from_dict({key: value for key, value in row.items() if key != "type"})
        if cut.recording is None:
            raise ValueError("it has no recording; save the cuts with theirs")
        supervisions = list(cut.supervisions)
        for each in supervisions:
            if each.start < -OVERSHOOT or each.end > cut.duration + OVERSHOOT:
                raise ValueError(
                    f"supervision {each.id!r} is from {each.start:g} to {each.end:g} s of a cut of {cut.duration:g} s; "
                    "cut recordings where their supervisions end (CutSet.trim_to_supervisions)"
                )
            if not set(to_list(each.channel)) <= set(to_list(cut.channel)):
                raise ValueError(
                    f"supervision {each.id!r} is of channel {each.channel}, its cut of {cut.channel}; correct one"
                )
    if not supervisions:
        raise InputError(f"cut {cut.id!r} has no supervision; remove it, or add one", path, line)
    return cut, supervisions


def _supervisions(path: Path, recordings: dict[str, dict[str, Any]]) -> Found:
    for line, row in json_rows(read_packed_lines(path), path):
        try:
            supervision, recording = _supervision(row, recordings, path, line)
        except InputError as error:
            yield _place(path, line), partial(refuse, error)
            continue
        name = str(supervision.id)
        yield name, partial(_utterance, name, recording, supervision, 0.0, path, line)


def _supervision(
    row: dict[str, Any] | InputError, recordings: dict[str, dict[str, Any]], path: Path, line: int
) -> tuple[SupervisionSegment, Recording]:
    with _valid("supervision", path, line):
        if isinstance(row, InputError):
            raise row
        supervision = SupervisionSegment.from_dict(_given(row))
        given = recordings.get(supervision.recording_id)
        if given is None:
            raise ValueError(f"its recording {supervision.recording_id!r} is in no manifest of recordings")
        return supervision, Recording.from_dict(dict(given))


def _given(row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a row that are not null; Lhotse does not write the others, and cannot read all of them."""
    return {name: value for name, value in row.items() if value is not None}


def _place(path: Path, line: int) -> str:
    """What stands for the name of an utterance that cannot be read."""
    return f"{path.name}:{line}"


@contextmanager
def _valid(kind: str, path: Path, line: int) -> Iterator[None]:
    """Raises InputError for what Lhotse, or this module, cannot read of a row."""
    try:
        yield
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, AssertionError) as error:
        raise InputError(f"not a Lhotse {kind} that can be read: {error}", path, line) from error


def _utterance(
    name: str, recording: Recording, supervision: SupervisionSegment, first: float, path: Path, line: int
) -> Utterance:
    """A supervision of a cut that starts `first` seconds into its recording."""
    with _valid("supervision", path, line):
        custom = dict(supervision.custom or {})
        start = first + supervision.start
        alignment = supervision.alignment or {}
        tier = next((tier for tier in _TIERS if alignment.get(tier)), "")
        untimed = custom.pop(PHONES, "")
        if custom.get(WORDS):
            custom[WORDS] = [_pronounced(*each) for each in custom[WORDS]]
        audio, channel = lhotse_file(recording.to_dict(), supervision.channel, path, line)
        whole = not start and abs(supervision.duration - recording.duration) < 1e-3
        return Utterance(
            id=name,
            audio=Path(audio),
            where=path,
            line=line,
            start=start,
            duration=None if whole else supervision.duration,
            channel=channel,
            speaker=_text(supervision.speaker) or None,
            gender=_text(supervision.gender) or None,
            language=_text(supervision.language) or None,
            text=_text(supervision.text),
            segments=_segments(supervision, tier),
            phones=untimed.split() if isinstance(untimed, str) else [_text(phone) for phone in untimed],
            words=_segments(supervision, "word"),
            split=_split(path),
            custom=custom,
        )


def _split(path: Path) -> str | None:
    """The split that a manifest's name says after its kind, or before it, where `tr` may be Turkish."""
    match = _MANIFEST.fullmatch(path.name.lower())
    before, after = (match[1] or "", match[3] or "") if match else ("", "")
    return split_of(after) or split_of(before, short=not after)


def _pronounced(word: str, *pronunciations: str) -> list[str]:
    if not pronunciations:
        raise ValueError(f"word {word!r} has no pronunciation")
    return [_text(each) for each in (word, *pronunciations)]


def _text(value: object) -> str:
    """A text; numbers, such as those of speakers, are written as such. Raises TypeError for anything else."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise TypeError(f"{value!r} is not a text")
    return "" if value is None else str(value)


def _segments(supervision: SupervisionSegment, tier: str) -> list[Segment]:
    """The times of an alignment, from the supervision's start."""
    items = (supervision.alignment or {}).get(tier) or []
    return [
        (
            round(item.start - supervision.start, 8),
            round(item.start + item.duration - supervision.start, 8),
            _text(item.symbol),
        )
        for item in items
    ]
