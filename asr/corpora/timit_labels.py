"""TIMIT's labels, checked against the audio and the phone set."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from asr.errors import InputError
from asr.formats.phn import SAMPLE_RATE, Label, read_labels
from asr.phones.phone_set import load_phone_set

TIMIT_PHONES = load_phone_set("timit61")

OVERSHOOT = SAMPLE_RATE // 100
"""Samples by which a segment may pass the end of the audio, where it is cut off. 10 ms is one frame step, too little to
move a frame's label. (In NLTK's sample every `.phn` ends 0 to 119 samples before its audio, but one 2,802 before.)"""

UNLABELLED_END = SAMPLE_RATE // 10
"""Samples that may be left after a last segment of speech. Every `.phn` of the sample ends with silence; one that stops
in speech well before its audio has lost its last lines."""


def read_phones(path: Path, samples: float, symbols: Collection[str]) -> list[Label]:
    """The phones of a `.phn` file, checked against the audio's length `samples` (at 16 kHz) and the phone set.

    Phones follow each other without overlap; a gap is accepted and has no phone. Raises InputError with the line.
    """
    labels = _lower_case(read_labels(path))
    for label in labels:
        if label.symbol not in symbols:
            raise InputError(
                f"unknown phone {label.symbol!r}: it is not one of TIMIT's {len(symbols)}", path, label.line
            )
        if label.end <= label.start:
            raise InputError(f"the segment ends at sample {label.end}, not after its start", path, label.line)
    for before, label in pairwise(labels):
        if label.start < before.end:
            raise InputError(
                f"the segment starts at sample {label.start}, before the last one ends at {before.end}: they overlap",
                path,
                label.line,
            )
    labels = _inside_audio(labels, samples, path)
    if all(label.symbol in TIMIT_PHONES.unspoken for label in labels):
        raise InputError("has nothing but silence: is it truncated?", path, labels[-1].line)
    missing = samples - labels[-1].end
    if labels[-1].symbol not in TIMIT_PHONES.unspoken and missing > UNLABELLED_END:
        raise InputError(
            f"the last segment is speech and ends {missing / SAMPLE_RATE:.2f} s before the audio: is it truncated?",
            path,
            labels[-1].line,
        )
    return labels


def read_words(path: Path, samples: float) -> list[Label]:
    """The words of a `.wrd` file, inside the audio. Words may overlap: in TIMIT they share the phones between them.

    Raises InputError with the line.
    """
    labels = _lower_case(read_labels(path))
    for label in labels:
        if label.end < label.start:
            raise InputError(f"the word ends at sample {label.end}, before its start", path, label.line)
    return _inside_audio(labels, samples, path)


def _lower_case(labels: Iterable[Label]) -> list[Label]:
    """The labels as TIMIT writes them; some copies have capitals."""
    return [replace(label, symbol=label.symbol.lower()) for label in labels]


def _inside_audio(labels: list[Label], samples: float, path: Path) -> list[Label]:
    """The labels, cut off at the end of the audio where they pass it by no more than OVERSHOOT."""
    end = int(samples)
    for label in labels:
        if label.end > end + OVERSHOOT or label.start >= end:
            seconds = (label.end - end) / SAMPLE_RATE
            raise InputError(
                f"the segment runs {seconds:.3f} s past the end of the audio (sample {end})", path, label.line
            )
    return [replace(label, end=min(label.end, end)) for label in labels]
