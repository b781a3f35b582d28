"""What a report says of decoding: the language model, the worth of the confidences, and what n-best lists hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asr.config import PhoneSetName
from asr.errors import InputError
from asr.files import read_json
from asr.scoring.calibration import calibrate, judge_files, reliability_plot

FOLDER = Path("decode", "test")
CALIBRATED = ("accuracy", "confidence", "expected_calibration_error", "normalized_cross_entropy")
ORACLE = ("nbest", "oracle_per")
TUNED = ("dev_perplexity",)


def decoding_rows(run_dir: Path, folds: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each fold (one without a name, where there are none) of which decoding wrote something to tell.

    What it did not write is None. Raises InputError that names the file of which a field is missing.
    """
    rows = []
    for fold in folds:
        folder = run_dir / fold / FOLDER
        calibrated, oracle = folder / "calibration.json", folder / "oracle.json"
        row = _fields(calibrated, CALIBRATED) | _fields(oracle, ORACLE) | _fields(folder.parent / "tuning.json", TUNED)
        if any(value is not None for value in row.values()):
            rows.append({"name": fold or "all", **row})
    return rows


def reliability(run_dir: Path, folds: Sequence[str], phone_set: PhoneSetName) -> str | None:
    """The reliability plot of all folds' confidences; None where there are none."""
    folders = [run_dir / fold / FOLDER for fold in folds]
    judged = [
        judge_files(folder / "references.jsonl", folder / "hypotheses.jsonl", phone_set)
        for folder in folders
        if (folder / "calibration.json").is_file()
    ]
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
