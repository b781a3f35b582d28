"""What a report says of decoding: the language model, the worth of the confidences, and what n-best lists hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import InputError
from asr.phones.phone_set import AnyPhoneSet
from asr.report.reliability import reliability_plot
from asr.scoring.calibration import calibrate, judge_files
from asr.storage.files import read_json
from asr.storage.run_layout import CALIBRATION, DECODE, HYPOTHESES, ORACLE, REFERENCES, SCORE, TUNED

CALIBRATED = ("accuracy", "confidence", "expected_calibration_error", "normalized_cross_entropy")
FROM_LISTS = ("nbest", "oracle_per")
FROM_DEV = ("dev_perplexity",)


def decoding_rows(run_dir: Path, folds: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each fold (one without a name, where there are none) of which decoding wrote something to tell.

    What it did not write is None. Raises InputError that names the file of which a field is missing.
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
            test = folder / DECODE / "test"
            judged.append(judge_files(test / REFERENCES, test / HYPOTHESES, phone_set))
    if not judged:
        return None
    confidences, correct = (np.concatenate(arrays) for arrays in zip(*judged, strict=True))
    return reliability_plot(calibrate(confidences, correct))


def _fields(path: Path, names: Sequence[str]) -> dict[str, float | None]:
    """Fields of a JSON file that are numbers or null; all are null where there is no such file."""
    if not path.is_file():
        return dict.fromkeys(names)
    row = read_json(path)
    for name in names:
        if not isinstance(row, dict) or name not in row or not isinstance(row[name], int | float | None):
            raise InputError(f"field {name} must be a number; run the decode stage again", path)
    return {name: row[name] for name in names}
