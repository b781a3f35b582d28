"""How well trained models place boundaries: the test sets of their runs, aligned and compared with hand labels."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from asr.acoustics.scored_split import scored_split
from asr.alignment.accuracy import TOLERANCES, BoundaryAccuracy, boundary_accuracy, labelled_boundaries
from asr.alignment.aligner import Aligner, AligningModel
from asr.alignment.spoken import exact_phones
from asr.corpora.cuts import phone_sequence, reference
from asr.errors import InputError
from asr.features.dataset import Dataset
from asr.formats.transcript import Transcript
from asr.phones.folding import fold_segments
from asr.storage.json_files import write_json
from asr.storage.run_layout import BUNDLE, DECODE, FEATURES, PREPARE, fold_names

Seconds = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """The accuracy over all folds; and of the intervals, the percentage that contains the hand label, and the mean
    width in milliseconds."""

    utterances: int
    accuracy: BoundaryAccuracy
    interval_holds: float
    interval_width: float

    def to_json(self) -> dict[str, Any]:
        row = asdict(self)
        return row.pop("accuracy") | row

    def table(self) -> str:
        """For the terminal."""
        within = "".join(f"{f'<= {limit} ms':>10}" for limit in TOLERANCES)
        found = self.accuracy
        values = "".join(f"{found.within[limit]:>9.1f}%" for limit in TOLERANCES)
        errors = "".join(f"{value:>6.1f} ms" for value in (found.mean, found.median, found.bias))
        return "\n".join(
            [
                f"{'boundaries':>10}{within}{'mean':>9}{'median':>9}{'bias':>9}",
                f"{found.boundaries:>10,}{values}{errors}",
                f"intervals: {self.interval_holds:.1f}% hold the label, {self.interval_width:.1f} ms wide",
            ]
        )


def evaluate(runs: Sequence[Path], device: torch.device | str = "cpu") -> Evaluation:
    """Aligns the known phones of each fold's test set with that fold's model of every run.

    The runs must be of one corpus with the same folds, so that no model has seen its test speakers. Raises InputError
    for a folder that is not a finished run, and for a corpus without times.
    """
    errors: list[Seconds] = []
    intervals: list[Seconds] = []
    for fold in _folds(runs):
        for aligned, (counted, labels) in _aligned_test_sets(runs, fold, device):
            ends = np.array([segment.end for segment in aligned.phones[:-1]], np.float64)
            errors.append((ends - labels)[counted])
            intervals.append((np.array(aligned.intervals).reshape(-1, 2) - labels[:, None])[counted])
    if not errors:
        raise InputError("has no test utterances", runs[0])
    low, high = np.concatenate(intervals).T
    return Evaluation(
        utterances=len(errors),
        accuracy=boundary_accuracy(np.concatenate(errors)),
        interval_holds=float(100 * ((low <= 0) & (high >= 0)).mean()),
        interval_width=float(1000 * (high - low).mean()),
    )


def evaluate_runs(runs: Sequence[Path], device: torch.device | str, out_dir: Path | None = None) -> str:
    """Evaluates, writes `out_dir`/accuracy.json where one is given, and returns the table."""
    evaluation = evaluate(runs, device)
    if out_dir is not None:
        write_json(out_dir / "accuracy.json", evaluation.to_json())
    return evaluation.table()


def _folds(runs: Sequence[Path]) -> list[str]:
    """The names of the folds that every run has; a single empty name for runs without folds."""
    each = [[fold for fold in fold_names(run) if (run / fold / DECODE / BUNDLE).is_dir()] or [""] for run in runs]
    for run, folds in zip(runs, each, strict=True):
        if not (run / folds[0] / DECODE / BUNDLE).is_dir():
            raise InputError("is not a finished run (no decode/bundle); give the folder of a run", run)
        if not (run / PREPARE).is_dir():
            raise InputError("has no prepare/ with the test sets; give the folder of the run, not one fold of it", run)
        if folds != each[0]:
            raise InputError(f"has different folds from {runs[0]}; align runs of the same corpus and folds", run)
    return each[0]


def _aligned_test_sets(
    runs: Sequence[Path], fold: str, device: torch.device | str
) -> Iterator[tuple[Transcript, tuple[npt.NDArray[np.bool_], Seconds]]]:
    aligner = Aligner([AligningModel(run / fold / DECODE / BUNDLE, device) for run in runs])
    scored = [
        scored_split(model.scorer, Dataset(run / PREPARE / fold, run / fold / FEATURES), "test")
        for model, run in zip(aligner.models, runs, strict=True)
    ]
    for each in zip_longest(*scored):
        if any(one is None for one in each) or len({cut.id for cut, _ in each}) > 1:
            raise InputError("they test other utterances; evaluate runs of the same corpus and folds", runs[0].parent)
        cut = each[0][0]
        spoken = exact_phones(phone_sequence(cut), aligner.phone_set)
        said = reference(cut)
        try:
            labels = labelled_boundaries(fold_segments(said.phones, aligner.phone_set))
        except ValueError as error:
            raise InputError(f"its corpus has no phone times to compare with: utterance {cut.id}", runs[0]) from error
        try:
            aligned = aligner.align_scored(said, spoken, [posteriors for _, posteriors in each])
        except InputError as error:
            raise InputError(f"utterance {cut.id}: {error}") from error
        yield aligned, labels
