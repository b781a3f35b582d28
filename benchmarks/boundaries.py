"""Boundaries of trained models against the hand labels of a corpus that they need not have seen.

    asr prepare timit ../shared/corpora/timit_sample manifests/timit_sample --folds 4
    python benchmarks/boundaries.py small runs/small/aligner --on manifests/timit_sample/fold-*

The phones are given, as for `asr align --evaluate`. Dictionaries have no closures: a model of their phones calls the
whole stop `t`, where TIMIT has `tcl t`. So there are two figures: with each closure as a silence of its own, and with
closures as parts of their stops.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from lhotse import MonoCut

from asr.alignment.accuracy import TOLERANCES, boundary_accuracy, labelled_boundaries
from asr.alignment.aligner import Aligner, AligningModel
from asr.alignment.spoken import exact_phones
from asr.audio import read_audio
from asr.corpora.cuts import phone_segments, read_cuts
from asr.formats.transcript import PhoneSegment
from asr.phones.folding import fold_segments

CLOSURES = {"bcl": "b", "dcl": "d", "gcl": "g", "pcl": "p", "tcl": "t", "kcl": "k"}
RELEASES = {"t": ("t", "ch"), "d": ("d", "jh")}
"""What may follow the closure of a stop besides the stop itself."""


@dataclass
class Errors:
    """Signed errors (s) of boundaries, and which lie in their intervals."""

    errors: list[npt.NDArray[np.float64]] = field(default_factory=list)
    held: list[npt.NDArray[np.bool_]] = field(default_factory=list)

    def row(self, system: str, closures: str) -> dict[str, object]:
        found = boundary_accuracy(np.concatenate(self.errors))
        row: dict[str, object] = {"benchmark": "boundaries", "system": system, "closures": closures}
        row |= {f"within_{limit}_ms": round(found.within[limit], 1) for limit in TOLERANCES}
        row |= {"mean_ms": round(found.mean, 1), "median_ms": round(found.median, 1), "bias_ms": round(found.bias, 1)}
        return row | {
            "intervals_hold": round(float(100 * np.concatenate(self.held).mean()), 1),
            "boundaries": found.boundaries,
        }


def with_closures_merged(segments: Sequence[PhoneSegment]) -> list[PhoneSegment]:
    """Each closure joined with the release that follows it; alone it is the stop."""
    merged: list[PhoneSegment] = []
    for segment in segments:
        before = merged[-1] if merged else None
        stop = None if before is None else CLOSURES.get(before.phone)
        if before is not None and stop is not None and segment.phone in RELEASES.get(stop, (stop,)):
            merged[-1] = PhoneSegment(segment.phone, before.start, segment.end)
        else:
            merged.append(segment)
    return [PhoneSegment(CLOSURES.get(each.phone, each.phone), each.start, each.end) for each in merged]


def cuts(folders: Sequence[Path]) -> Iterator[MonoCut]:
    for folder in folders:
        yield from read_cuts(folder / "test.cuts.jsonl.gz")


def measure(aligner: Aligner, cut: MonoCut, said: Sequence[PhoneSegment], found: Errors) -> None:
    folded = fold_segments(said, aligner.phone_set)
    counted, labels = labelled_boundaries(folded)
    audio = read_audio(cut.recording.sources[0].source, aligner.sample_rate, cut.start, cut.duration)
    spoken = exact_phones([each.phone for each in folded], aligner.phone_set)
    aligned = aligner.align_blocks(lambda: [audio], spoken, cut.id)
    ends = np.array([each.end for each in aligned.phones[:-1]], np.float64)
    low, high = np.array(aligned.intervals).reshape(-1, 2).T
    found.errors.append((ends - labels)[counted])
    found.held.append(((low <= labels) & (labels <= high))[counted])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, help="runs or models, as in asr align")
    parser.add_argument("--on", nargs="+", type=Path, required=True, help="folders of manifests, of which test is used")
    arguments = parser.parse_args()
    for model in arguments.models:
        aligner = Aligner([AligningModel(model)])
        each = {"apart": Errors(), "in stops": Errors()}
        for cut in cuts(arguments.on):
            segments = phone_segments(cut)
            measure(aligner, cut, segments, each["apart"])
            measure(aligner, cut, with_closures_merged(segments), each["in stops"])
        for closures, found in each.items():
            print(json.dumps(found.row(str(model), closures)))


if __name__ == "__main__":
    main()
