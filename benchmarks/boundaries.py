"""Boundaries of trained models against the hand labels of a corpus that they need not have seen.

    asr prepare timit ../shared/corpora/timit_sample manifests/timit_sample --folds 4
    python benchmarks/boundaries.py small runs/small/aligner --on manifests/timit_sample/fold-*

The phones are given, as for `asr align --evaluate`. Dictionaries have no closures: a model of their phones calls the
whole stop `t`, where TIMIT has `tcl t`. So there are two figures: with each closure as a silence of its own, and with
closures as parts of their stops.

With `--textgrids`, the alignments that another program made are measured too, on utterances in which it has the phones
of the labels (as broad IPA). Where people corrected these alignments to get the labels, the second figure is of the
boundaries that they moved. `--phone-set` is that of the labels; foldings to the models' sets are next to its file:

    python benchmarks/boundaries.py runs/voxangeles/tdnn small --on runs/voxangeles/tdnn/prepare \
        --textgrids voxangeles/mfa --phone-set recipes/voxangeles/broad.tsv
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from lhotse import MonoCut

from asr.alignment.accuracy import TOLERANCES, boundary_accuracy, labelled_boundaries
from asr.alignment.aligner import Aligner, AligningModel
from asr.alignment.spoken import exact_phones
from asr.corpora.cuts import phone_segments, read_cuts
from asr.features.extract import read_cut
from asr.formats.textgrid_reader import TextGrid
from asr.formats.transcript import PhoneSegment
from asr.phones.folding import fold_segments, folding
from asr.phones.ipa import broad
from asr.phones.phone_set import PhoneSet, load_phone_set

CLOSURES = {"bcl": "b", "dcl": "d", "gcl": "g", "pcl": "p", "tcl": "t", "kcl": "k"}
RELEASES = {"t": ("t", "ch"), "d": ("d", "jh")}
"""What may follow the closure of a stop besides the stop itself."""

MOVED = 1e-4
"""Seconds: a boundary that is nearer to the other program's is one that nobody moved."""
SILENCE = "sil"
"""What prepare makes of an empty label."""

Labels = tuple[Sequence[PhoneSegment], npt.NDArray[np.bool_]]
"""The N phones of an utterance, and which of the N - 1 boundaries between them are measured."""


@dataclass
class Errors:
    """Signed errors (s) of boundaries, and which lie in their intervals."""

    errors: list[npt.NDArray[np.float64]] = field(default_factory=list)
    held: list[npt.NDArray[np.bool_]] = field(default_factory=list)

    def row(self, system: str, labels: str) -> dict[str, object]:
        found = boundary_accuracy(np.concatenate(self.errors))
        row: dict[str, object] = {"benchmark": "boundaries", "system": system, "labels": labels}
        row |= {f"within_{limit}_ms": round(found.within[limit], 1) for limit in TOLERANCES}
        row |= {"mean_ms": round(found.mean, 1), "median_ms": round(found.median, 1), "bias_ms": round(found.bias, 1)}
        if self.held:
            row["intervals_hold"] = round(float(100 * np.concatenate(self.held).mean()), 1)
        return row | {"boundaries": found.boundaries}


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


def other_alignment(folder: Path, cut: MonoCut) -> list[PhoneSegment]:
    """The phones of an utterance by another program, as broad IPA; none where it has no TextGrid."""
    path = folder / f"{cut.id}.TextGrid"
    intervals = TextGrid(path).intervals("phones") if path.is_file() else []
    return [PhoneSegment(broad(label) or SILENCE, start, end) for start, end, label in intervals]


def ends(segments: Sequence[PhoneSegment]) -> npt.NDArray[np.float64]:
    """The times (s) of the boundaries between neighbouring phones."""
    return np.array([each.end for each in segments[:-1]], np.float64)


def labels_of(cut: MonoCut, other: Sequence[PhoneSegment] | None) -> dict[str, Labels]:
    """The labels to measure by, under the name of each figure; none for phones that are not the other program's."""
    said = phone_segments(cut)
    if other is None:
        return {"closures apart": _whole(said), "closures in stops": _whole(with_closures_merged(said))}
    if [each.phone for each in said] != [each.phone for each in other]:
        return {}
    return {"all": _whole(said), "corrected": (said, np.abs(ends(other) - ends(said)) >= MOVED)}


def _whole(said: Sequence[PhoneSegment]) -> Labels:
    return said, np.ones(max(len(said) - 1, 0), np.bool_)


def in_set_of(aligner: Aligner, said: Sequence[PhoneSegment], phone_set: PhoneSet | None) -> list[PhoneSegment]:
    """The labels in the phones of a model; `phone_set` is theirs, if it does not ship. None of it may be dropped."""
    if phone_set is None:
        return fold_segments(said, aligner.phone_set)
    symbols = folding(aligner.phone_set, phone_set)
    return [replace(each, phone=str(symbols[each.phone])) for each in said]


def measure(aligner: Aligner, cut: MonoCut, labels: Labels, phone_set: PhoneSet | None, found: Errors) -> None:
    said, measured = labels
    folded = in_set_of(aligner, said, phone_set)
    counted, times = labelled_boundaries(folded)
    audio = read_cut(cut, aligner.sample_rate)
    spoken = exact_phones([each.phone for each in folded], aligner.phone_set)
    aligned = aligner.align_blocks(lambda: [audio], spoken, cut.id)
    low, high = np.array(aligned.intervals).reshape(-1, 2).T
    counted &= measured
    found.errors.append((ends(aligned.phones) - times)[counted])
    found.held.append(((low <= times) & (times <= high))[counted])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, help="runs or models, as in asr align")
    parser.add_argument("--on", nargs="+", type=Path, required=True, help="folders of manifests, of which test is used")
    parser.add_argument("--textgrids", type=Path, help="folder of another program's alignments, named as utterances")
    parser.add_argument("--phone-set", type=load_phone_set, help="file of the labels' phone set, if it does not ship")
    arguments = parser.parse_args()
    others = {cut.id: other_alignment(arguments.textgrids, cut) for cut in cuts(arguments.on) if arguments.textgrids}
    rows: dict[tuple[str, str], Errors] = defaultdict(Errors)
    for cut in cuts(arguments.on) if others else ():
        for name, (said, measured) in labels_of(cut, others[cut.id]).items():
            counted, times = labelled_boundaries(said)
            errors = ends(others[cut.id]) - times
            rows[str(arguments.textgrids), name].errors.append(errors[counted & measured])
    for model in arguments.models:
        aligner = Aligner([AligningModel(model)])
        for cut in cuts(arguments.on):
            for name, labels in labels_of(cut, others.get(cut.id)).items():
                measure(aligner, cut, labels, arguments.phone_set, rows[str(model), name])
    for (system, name), found in rows.items():
        print(json.dumps(found.row(system, name)))


if __name__ == "__main__":
    main()
