"""Recordings of similar lengths scored together, as suits a GPU."""

from collections.abc import Iterator, Sequence

import numpy as np

from asr.audio.waveform import Waveform
from asr.features.pieces import whole_or_blocks
from asr.recognizer import Recognizer
from asr.recordings.sources import Source
from asr.recordings.work import Outcome, Read

READ_TOGETHER = 256
"""Recordings among which those of similar lengths are found."""

BATCH_SECONDS = 600.0
"""Audio that is scored at once, with its padding."""


def transcribe_together(recognizer: Recognizer, nbest: int, items: Sequence[tuple[Source, Read]]) -> list[Outcome]:
    """Each recording's transcript, equal to that of the recording alone within rounding, or why there is none.

    Long ones are recognised alone, as is each of a batch that fails.
    """
    found: dict[int, Outcome] = {}
    short: dict[int, Waveform] = {}
    for number, (source, read) in enumerate(items):
        try:
            samples = whole_or_blocks(read(), recognizer.bundle.config.features)
            if isinstance(samples, np.ndarray):
                short[number] = samples
            else:
                found[number] = recognizer.recognize_blocks(samples, source.utterance, str(source.path), nbest), {}
        except Exception as error:
            found[number] = error
    numbers, lengths = list(short), [len(samples) for samples in short.values()]
    for batch in by_length(lengths, round(BATCH_SECONDS * recognizer.sample_rate)):
        chosen = [numbers[place] for place in batch]
        found |= _batch(recognizer, nbest, {number: (items[number][0], short[number]) for number in chosen})
    return [found[number] for number in range(len(items))]


def by_length(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """The places of `lengths` in batches of similar ones, which padded to the longest are at most `most`."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[place] > most:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _batch(recognizer: Recognizer, nbest: int, items: dict[int, tuple[Source, Waveform]]) -> dict[int, Outcome]:
    names = [(source.utterance, str(source.path)) for source, _ in items.values()]
    try:
        transcripts = recognizer.recognize_batch([samples for _, samples in items.values()], names, nbest)
    except Exception as error:
        if len(items) == 1:
            return dict.fromkeys(items, error)
        return {key: value for each in items.items() for key, value in _batch(recognizer, nbest, dict([each])).items()}
    return {number: (transcript, {}) for number, transcript in zip(items, transcripts, strict=True)}
