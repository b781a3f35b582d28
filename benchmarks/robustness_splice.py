"""An hour of speech as one recording, made of utterances, and its phones as those of the utterances again."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from asr.formats.transcript import PhoneSegment, Transcript
from benchmarks.robustness_conditions import Recording, Samples, is_silence

PAUSE = 0.5
"""Seconds between two utterances, of noise at `LEVEL` dB of full scale."""
LEVEL = -70


@dataclass(frozen=True)
class Spliced:
    """Utterances joined, speaker by speaker in turn: samples [S] at `rate` (Hz).

    `edges` [U + 1], in seconds, are the middles of the pauses, and the beginning and the end of it all.
    """

    samples: Samples
    rate: int
    edges: list[float]
    references: list[Transcript]


def splice(recordings: Sequence[Recording], seconds: float) -> Spliced:
    """All recordings in order, again and again until they are at least so long; each as often as the others."""
    rate = recordings[0].rate
    pause = round(PAUSE * rate)
    block = sum(len(each.samples) + pause for each in recordings)
    repeats = max(-(-round(seconds * rate) // block), 1)
    generator = np.random.default_rng(zlib.crc32(recordings[0].name.encode()))
    pieces, references, ends = [], [], []
    for repeat in range(repeats):
        for recording in recordings:
            noise = 10 ** (LEVEL / 20) * generator.standard_normal(pause).astype(np.float32)
            pieces += [recording.samples, noise]
            references.append(replace(recording.reference, utterance=f"{recording.name} {repeat}"))
            ends.append(len(recording.samples) + pause)
    middles = (np.cumsum(ends) - pause / 2) / rate
    return Spliced(np.concatenate(pieces), rate, [0.0, *middles[:-1].tolist(), float("inf")], references)


def pieces(spliced: Spliced, phones: Sequence[PhoneSegment]) -> list[Transcript]:
    """Each utterance with the phones recognised in its part: those with their middle in it, and silences that touch it,
    so that one from one utterance into the next counts in both."""
    starts, ends = (np.array([getattr(phone, side) or 0.0 for phone in phones]) for side in ("start", "end"))
    silent = np.array([is_silence(phone.phone) for phone in phones], dtype=bool)
    middles = (starts + ends) / 2
    first = np.where(silent, starts, middles)
    last = np.where(silent, ends, middles)
    found = []
    for number, reference in enumerate(spliced.references):
        low, high = spliced.edges[number : number + 2]
        inside = np.flatnonzero(np.where(silent, (first < high) & (last > low), (low <= middles) & (middles < high)))
        found.append(replace(reference, phones=[phones[index] for index in inside.tolist()]))
    return found
