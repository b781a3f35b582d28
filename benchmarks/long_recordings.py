"""Alignment of an hour in one recording, and the fit of right and wrong transcripts, on the test set of a finished run.

    python benchmarks/long_recordings.py runs/timit_sample/dnn [--fold K] [--split dev]

"hour": the fold's utterances joined, again and again, to one recording of at least an hour; the figure is the share of
its boundaries inside utterances that are within TOLERANCE of those of the utterance alone, and the time is the
processor's. "fit": how many transcripts cost a warning (`asr.alignment.fit`), and their least and greatest fit: the
right ones, those of the next utterance, and those of one of two and of three utterances that are joined.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from asr.alignment.aligner import Aligner, AligningModel
from asr.alignment.fit import UNFIT
from asr.alignment.spoken import exact_phones
from asr.audio.waveform import Waveform
from asr.errors import InputError
from asr.formats.transcript import Transcript
from asr.storage.run_layout import fold_name
from benchmarks.robustness import HOUR_SECONDS, finished_folds, open_fold
from benchmarks.robustness_conditions import Recording
from benchmarks.robustness_splice import PAUSE, splice

TOLERANCE = 0.020
"""Seconds."""

Row = dict[str, object]


def align(aligner: Aligner, samples: Waveform, references: Sequence[Transcript]) -> Transcript:
    symbols = [symbol for reference in references for symbol in reference.symbols]
    return aligner.align_blocks(lambda: [samples], exact_phones(symbols, aligner.phone_set))


def inner_boundaries(aligned: Transcript) -> list[float]:
    return [phone.start or 0.0 for phone in aligned.phones[1:]]


def hour(aligner: Aligner, recordings: Sequence[Recording], seconds: float) -> Row:
    alone = [inner_boundaries(align(aligner, each.samples, [each.reference])) for each in recordings]
    spliced = splice(recordings, seconds)
    begin = time.process_time()
    found = align(aligner, spliced.samples, spliced.references)
    took = time.process_time() - begin
    starts, errors, first = [phone.start or 0.0 for phone in found.phones], [], 0
    for number in range(len(spliced.references)):
        expected = alone[number % len(alone)]
        offset = spliced.edges[number] + PAUSE / 2 if number else 0.0
        errors.append(np.array(starts[first + 1 : first + 1 + len(expected)]) - offset - expected)
        first += len(expected) + 1
    within = float(100 * (np.abs(np.concatenate(errors)) <= TOLERANCE).mean())
    length = len(spliced.samples) / spliced.rate
    return {"figure": round(within, 2), "unit": "% within 20 ms", "audio_s": round(length), "seconds": round(took, 1)}


def fits(aligner: Aligner, recordings: Sequence[Recording]) -> Iterator[Row]:
    following = [*recordings[1:], *recordings[:2]]
    for name, joined, transcripts in (
        ("right", 1, recordings),
        ("of the next", 1, following),
        ("one of two", 2, recordings),
        ("one of three", 3, recordings),
    ):
        found = []
        for place, recording in enumerate(recordings):
            samples = np.concatenate([each.samples for each in (recording, *following[place : place + joined - 1])])
            try:
                said = align(aligner, samples, [transcripts[place].reference])
            except InputError:  # the next utterance has more phones than this one has frames
                continue
            found.append(said.fit or 0.0)
        unit = f"of {len(found)} cost a warning"
        row = {"transcript": name, "figure": sum(fit < UNFIT for fit in found), "unit": unit}
        yield {**row, "least": min(found), "greatest": max(found)}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="the folder of a finished run")
    parser.add_argument("--fold", type=int, help="the fold (from 1); by default the first that is finished")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--hour", type=float, default=HOUR_SECONDS, help="least length (s) of the joined recording")
    options = parser.parse_args(arguments)
    logging.getLogger("asr").setLevel(logging.ERROR)  # transcripts that do not fit are expected here
    try:
        name = finished_folds(options.run)[0] if options.fold is None else fold_name(options.fold)
        fold = open_fold(options.run, name, options.split)
        aligner = Aligner([AligningModel(fold.recognizer.bundle)])
        head = {"benchmark": "long_recordings", "system": options.run.name, "split": options.split, "threads": 1}
        for row in fits(aligner, fold.recordings):
            print(json.dumps({**head, "part": "fit", **row}), flush=True)
        print(json.dumps({**head, "part": "hour", **hour(aligner, fold.recordings, options.hour)}), flush=True)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
