"""What a report says about decoding: the perplexity, the calibration of confidences, and the n-best lists."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import InputError
from asr.phones.phone_set import AnyPhoneSet
from asr.report.reliability import reliability_plot
from asr.scoring.calibration import calibrate, judge_files
from asr.storage.json_files import read_json
from asr.storage.run_layout import CALIBRATION, DECODE, HYPOTHESES, ORACLE, REFERENCES, SCORE, TEST, TUNED

CALIBRATED = ("accuracy", "confidence", "expected_calibration_error", "normalized_cross_entropy")
FROM_LISTS = ("nbest", "oracle_per")
FROM_DEV = ("dev_perplexity",)


def decoding_rows(run_dir: Path, folds: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each fold that has any of these figures; a run without folds is one fold with an empty name.

    Figures that were not written are None. Raises InputError with the file and the field that is missing.
    """
    rows = []
    for fold in folds:
        scored, tuned = run_dir / fold / SCORE, run_dir / fold / DECODE / TUNED
        row = (
            _fields(scored / CALIBRATION, CALIBRATED) | _fields(scored / ORACLE, FROM_LISTS) | _fields(tuned, FROM_DEV)
        )
        if any(value is not None for value in row.values()):
            rows.append({"name": fold or "all", **row})
    return rows


def reliability(run_dir: Path, folds: Sequence[str], phone_set: AnyPhoneSet) -> str | None:
    """The reliability plot of all folds' confidences; None where there are none."""
    judged = []
    for folder in (run_dir / fold for fold in folds):
        if (folder / SCORE / CALIBRATION).is_file():
            test = folder / DECODE / TEST
            judged.append(judge_files(test / REFERENCES, test / HYPOTHESES, phone_set))
    if not judged:
        return None
    confidences, correct = (np.concatenate(arrays) for arrays in zip(*judged, strict=True))
    return reliability_plot(calibrate(confidences, correct))


def _fields(path: Path, names: Sequence[str]) -> dict[str, float | None]:
    """Fields of a JSON file that are numbers or null; all None where there is no file."""
    if not path.is_file():
        return dict.fromkeys(names)
    row = read_json(path)
    for name in names:
        if not isinstance(row, dict) or name not in row or not isinstance(row[name], int | float | None):
            raise InputError(f"field {name} must be a number; rerun the stage that writes this file", path)
    return {name: row[name] for name in names}
