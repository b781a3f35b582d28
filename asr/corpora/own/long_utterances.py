"""Long utterances, such as a whole interview with its labels, as several: cut at the pauses that the labels show."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from asr.corpora.cuts import WORDS
from asr.corpora.own.turns import LONGEST, WHOLE, Turn, is_spoken, numbered, parts_of
from asr.corpora.own.utterance import Segment, Utterance
from asr.errors import count

log = logging.getLogger(__name__)


class LongUtterances:
    """Cuts long utterances, and counts what becomes of them."""

    def __init__(self) -> None:
        self._cut = self._parts = self._without_phones = 0
        self._whole: list[tuple[float, str]] = []

    def parts(self, utterance: Utterance, duration: float, spoken: Callable[[str], bool]) -> list[Utterance]:
        """The parts, in their order, of an utterance of `duration` seconds, named after it with their numbers.

        They are the turns of `parts_of`, in whose pauses there are neither phones nor words, with their part of the
        labels. `spoken` says whether a phone's label is of speech, not of a pause. Parts with words and no phone are
        left out if others have phones. An utterance without times or without a pause stays whole.
        """
        segments, words = (_within(labels, duration) for labels in (utterance.segments, utterance.words))
        phones = [(start, end) for start, end, label in segments if spoken(label)]
        turns = []
        if (phones or not segments) and not (utterance.phones or WORDS in utterance.custom):
            said = [(start, end) for start, end, label in words if is_spoken(label)]
            turns = parts_of(Turn("", 0.0, duration), phones + said)
        if not turns or (len(turns) == 1 and turns[0].end - turns[0].start > LONGEST):
            self._whole.append((duration, utterance.id))
            return [utterance]
        parts = []
        for number, turn in numbered(turns):
            part = _part(utterance, turn, segments, words, spoken, f"{utterance.id}-{number}")
            if phones and not any(spoken(label) for _, _, label in part.segments):
                self._without_phones += 1
                continue
            parts.append(part)
            if turn.end - turn.start > LONGEST:
                self._whole.append((turn.end - turn.start, part.id))
        self._cut += 1
        self._parts += len(parts)
        return parts

    def log(self, root: Path) -> None:
        """Says how many there were, if any, and warns of those that are still long."""
        if self._cut:
            left_out = f"; {count(self._without_phones, 'other')} without phones left out" * bool(self._without_phones)
            log.info(
                "%s: %s (of more than %g s) cut at pauses into %d%s",
                root,
                count(self._cut, "long utterance"),
                WHOLE,
                self._parts,
                left_out,
            )
        if self._whole:
            seconds, name = max(self._whole)
            log.warning(
                "%s: %s of more than %g s, the longest %s (%.0f s), without pauses to cut at; label their pauses, or "
                "align them first (asr align), as long ones take much memory in training",
                root,
                count(len(self._whole), "utterance"),
                LONGEST,
                name,
                seconds,
            )


def _within(segments: Sequence[Segment], duration: float) -> list[Segment]:
    """The labels inside an utterance, which may pass its ends by a little."""
    cut = ((max(start, 0.0), min(end, duration), label) for start, end, label in segments)
    return [(start, end, label) for start, end, label in cut if start < end]


def _part(
    utterance: Utterance,
    turn: Turn,
    segments: Sequence[Segment],
    words: Sequence[Segment],
    spoken: Callable[[str], bool],
    name: str,
) -> Utterance:
    said = turn.inside(words, is_spoken)
    return replace(
        utterance,
        id=name,
        start=utterance.start + turn.start,
        duration=turn.end - turn.start,
        segments=turn.inside(segments, spoken),
        words=said,
        text=" ".join(label for _, _, label in said if label),
    )
