"""The phones of a transcript as they were scored, with their times and scores."""

from collections.abc import Sequence
from dataclasses import replace

from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.folding import fold_segments
from asr.phones.phone_set import AnyPhoneSet, silences


def scored_segments(symbols: Sequence[str], transcript: Transcript, phone_set: AnyPhoneSet) -> list[PhoneSegment]:
    """The phones of a transcript as they were scored: folded, and runs of silence merged or silence removed.

    Where that does not give the symbols that were scored, those without times.
    """
    segments = fold_segments(transcript.phones, phone_set)
    silence = silences(phone_set)
    without = [segment for segment in segments if segment.phone not in silence]
    for candidate in (_merged(segments, silence), without):
        if [segment.phone for segment in candidate] == list(symbols):
            return candidate
    return [PhoneSegment(symbol) for symbol in symbols]


def _merged(segments: Sequence[PhoneSegment], silence: frozenset[str]) -> list[PhoneSegment]:
    """The segments with each run of silence as one."""
    merged: list[PhoneSegment] = []
    for segment in segments:
        if merged and segment.phone in silence and merged[-1].phone in silence:
            merged[-1] = replace(merged[-1], end=segment.end)
        else:
            merged.append(segment)
    return merged
