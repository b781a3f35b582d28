"""How well hypotheses place phones in time: frame accuracy, and the errors of boundaries and durations.

All phones are folded. A frame is 10 ms and belongs to the phone at its middle; frames where the reference has none, as
at a phone that folding drops, do not count. Boundaries and durations are those of phones that are right in the edit
alignment. A boundary between two such phones counts once, for the second; the ends of the utterance do not count.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, read_transcripts
from asr.phones.folding import fold_segments
from asr.phones.manner import MANNERS, manner
from asr.phones.phone_set import AnyPhoneSet, PhoneSet, load_phone_set, silences
from asr.scoring.edit_alignment import EditPair, edit_alignment
from asr.scoring.scored_segments import scored_segments
from asr.scoring.silence import treat
from asr.storage.files import remove
from asr.storage.json_files import write_json
from asr.storage.run_layout import TIMING

FRAME = 0.01
"""Seconds."""
TOLERANCES = (10, 20, 50)
"""Milliseconds: how far boundaries may be off."""
ROUNDING = 1e-4
"""Milliseconds: a boundary that is off by exactly a tolerance is within it, however its time was rounded."""

_FRAMES, _RIGHT, _BOUNDARIES, _LATE, _OFF, _PHONES, _LONG, _STRETCH, _WITHIN = range(9)
"""The places of the sums of a class; those within each tolerance come last."""

Sums = npt.NDArray[np.float64]
"""[classes, _WITHIN + tolerances], times in milliseconds."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Frames and the percentage that is right; boundaries, the percentage within each of TOLERANCES, and their mean
    error, signed (above 0: late) and absolute; right phones, and the mean error of their durations, likewise (above 0:
    too long). Times are in milliseconds; None where there is nothing to average."""

    name: str
    frames: int
    frame_accuracy: float | None
    boundaries: int
    within: dict[int, float | None]
    boundary_bias: float | None
    boundary_error: float | None
    phones: int
    duration_bias: float | None
    duration_error: float | None

    def to_json(self) -> dict[str, Any]:
        row = {name: getattr(self, name) for name in self.__slots__ if name not in ("name", "within")}
        row["within"] = {f"{limit} ms": share for limit, share in self.within.items()}
        return row


def timing(pairs: Iterable[tuple[Transcript, Transcript]], phone_set: AnyPhoneSet = "timit39") -> list[Timing]:
    """The figures of (reference, hypothesis) pairs: of all phones, then of each class of `asr.phones.manner`.

    Utterances whose phones lack times are left out; with no other, the list is empty. Raises InputError for a phone
    that `phone_set` has no place for.
    """
    into = load_phone_set(phone_set)
    class_of = {phone: MANNERS.index(manner(phone, into)) for phone in into}
    sums = np.zeros((len(MANNERS), _WITHIN + len(TOLERANCES)))
    for reference, hypothesis in pairs:
        if reference.phones and _timed(reference) and _timed(hypothesis) and not reference.pronunciations:
            _add(sums, reference, hypothesis, into, class_of)
    if not sums[:, _FRAMES].any():
        return []
    classes = [_figures(name, row) for name, row in zip(MANNERS, sums, strict=True) if row[_FRAMES]]
    return [_figures("all", sums.sum(axis=0)), *classes]


def timing_files(files: Iterable[tuple[Path, Path]], phone_set: AnyPhoneSet) -> list[Timing]:
    """`timing` of several pairs of references.jsonl and hypotheses.jsonl."""
    return timing((pair for references, hypotheses in files for pair in _pairs(references, hypotheses)), phone_set)


def write_timing(references: Path, hypotheses: Path, out_dir: Path, phone_set: AnyPhoneSet) -> None:
    """Writes `out_dir`/timing.json; without times on both sides there is none, not even an earlier one."""
    path = Path(out_dir) / TIMING
    if found := timing_files([(Path(references), Path(hypotheses))], phone_set):
        write_json(path, {each.name: each.to_json() for each in found})
    else:
        remove(path)


def _pairs(references: Path, hypotheses: Path) -> Iterator[tuple[Transcript, Transcript]]:
    """The transcripts of both files; while their order is the same, one utterance is in memory at a time."""
    waiting: dict[str, Transcript] = {}
    coming = read_transcripts(references)
    for hypothesis in read_transcripts(hypotheses):
        while hypothesis.utterance not in waiting:
            if (reference := next(coming, None)) is None:
                raise InputError(f"utterance {hypothesis.utterance} has no reference in {references}", hypotheses)
            waiting[reference.utterance] = reference
        yield waiting.pop(hypothesis.utterance), hypothesis


def _timed(transcript: Transcript) -> bool:
    return all(phone.start is not None and phone.end is not None for phone in transcript.phones)


def _add(
    sums: Sums, reference: Transcript, hypothesis: Transcript, phone_set: PhoneSet, class_of: dict[str, int]
) -> None:
    spoken, found = (fold_segments(each.phones, phone_set) for each in (reference, hypothesis))
    _add_frames(sums, spoken, found, class_of)
    silence = silences(phone_set)
    said, heard = (treat([each.phone for each in side], "counted", silence) for side in (spoken, found))
    _add_right(
        sums,
        edit_alignment(said, heard),
        scored_segments(said, reference, phone_set),
        scored_segments(heard, hypothesis, phone_set),
        class_of,
    )


def _add_frames(
    sums: Sums, spoken: Sequence[PhoneSegment], found: Sequence[PhoneSegment], class_of: dict[str, int]
) -> None:
    last = max((phone.end or 0.0 for phone in spoken), default=0.0)
    middles = np.asarray(FRAME * (np.arange(int(last / FRAME + 0.5)) + 0.5), np.float64)
    numbers = {phone: number for number, phone in enumerate(class_of)}
    labels, guesses = (_phones_at(middles, side, numbers) for side in (spoken, found))
    classes = np.array([*class_of.values(), 0])[labels]
    for column, chosen in ((_FRAMES, labels >= 0), (_RIGHT, (labels >= 0) & (labels == guesses))):
        sums[:, column] += np.bincount(classes[chosen], minlength=len(sums))


def _phones_at(times: Sums, phones: Sequence[PhoneSegment], numbers: dict[str, int]) -> npt.NDArray[np.int64]:
    """The number of the phone at each time [T] in seconds; -1 where there is none."""
    if not phones:
        return np.full(len(times), -1)
    starts, ends = (np.array([getattr(phone, side) for phone in phones]) for side in ("start", "end"))
    at = np.searchsorted(starts, times, side="right") - 1
    symbols = np.array([numbers[phone.phone] for phone in phones])
    return np.where((at >= 0) & (times < ends[at]), symbols[at], -1)


def _add_right(
    sums: Sums,
    pairs: Sequence[EditPair],
    spoken: Sequence[PhoneSegment],
    found: Sequence[PhoneSegment],
    class_of: dict[str, int],
) -> None:
    """Adds the boundaries and durations of the phones that are right."""
    places, errors, counted = right_boundaries(pairs, spoken, found)
    classes = np.array([class_of[pairs[place][0] or ""] for place in places.tolist()], np.int64)
    (starts, ends), late = counted.T, errors.T
    _add_boundaries(sums, np.append(classes[starts], classes[ends]), np.append(late[0, starts], late[1, ends]))
    stretch = errors[:, 1] - errors[:, 0]
    for column, values in ((_PHONES, np.ones(len(stretch))), (_LONG, stretch), (_STRETCH, np.abs(stretch))):
        sums[:, column] += np.bincount(classes, values, len(sums))


def right_boundaries(
    pairs: Sequence[EditPair], spoken: Sequence[PhoneSegment], found: Sequence[PhoneSegment]
) -> tuple[npt.NDArray[np.int64], Sums, npt.NDArray[np.bool_]]:
    """Of the R pairs that are right: their places [R], how late (ms) the found phone begins and ends [R, 2], and which
    of these boundaries count [R, 2].

    `spoken` and `found` are the phones of the two sides of the pairs, with times.
    """
    right = np.array([one == other for one, other in pairs], bool)
    said, heard = (np.cumsum([pair[side] is not None for pair in pairs], dtype=int)[right] - 1 for side in (0, 1))
    labelled, placed = (
        1000 * np.array([(phone.start, phone.end) for phone in side], np.float64).reshape(-1, 2)[chosen]
        for side, chosen in ((spoken, said), (found, heard))
    )
    shared = np.zeros(len(said), bool)  # the next one's start is this one's end
    shared[:-1] = (np.diff(said) == 1) & (np.diff(heard) == 1)
    counted = np.stack([said > 0, (said < len(spoken) - 1) & ~shared], axis=1)
    return np.flatnonzero(right), placed - labelled, counted


def _add_boundaries(sums: Sums, classes: npt.NDArray[np.int64], errors: Sums) -> None:
    """Adds boundaries of phones of these classes [N], with their signed errors [N] in milliseconds."""
    off = np.abs(errors)
    columns = [(_BOUNDARIES, np.ones(len(off))), (_LATE, errors), (_OFF, off)]
    columns += [(_WITHIN + place, off <= limit + ROUNDING) for place, limit in enumerate(TOLERANCES)]
    for column, values in columns:
        sums[:, column] += np.bincount(classes, values, len(sums))


def _figures(name: str, row: Sums) -> Timing:
    def mean(column: int, of: int, scale: float = 1.0) -> float | None:
        return round(scale * float(row[column] / row[of]), 3) if row[of] else None

    return Timing(
        name=name,
        frames=int(row[_FRAMES]),
        frame_accuracy=mean(_RIGHT, _FRAMES, 100),
        boundaries=int(row[_BOUNDARIES]),
        within={limit: mean(_WITHIN + place, _BOUNDARIES, 100) for place, limit in enumerate(TOLERANCES)},
        boundary_bias=mean(_LATE, _BOUNDARIES),
        boundary_error=mean(_OFF, _BOUNDARIES),
        phones=int(row[_PHONES]),
        duration_bias=mean(_LONG, _PHONES),
        duration_error=mean(_STRETCH, _PHONES),
    )
