"""Exported models beside their bundle: size, PER, speed, and the largest difference of a log posterior.

    python benchmarks/exported.py RUN [--files N]

Each test utterance of RUN's first finished fold is recognised alone: by PyTorch, and by onnxruntime in each precision,
on one core. The difference is over the first 20 utterances, from PyTorch as it is and with its front end in double
precision throughout, as the graph computes it. Load is the processor time of `asr.load` in a new process, after `import
asr`, with what it imports.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

os.environ["OMP_NUM_THREADS"] = "1"  # before PyTorch is imported

import numpy as np
from rich.console import Console
from rich.table import Table

from asr.acoustics.posteriors import LogPosteriors
from asr.export.export import export
from asr.recognizer import Recognizer
from asr.scoring.score import counted_per
from benchmarks.robustness import finished_folds, open_fold
from benchmarks.robustness_conditions import Recording

COMPARED = 20
LOAD = (
    "import sys, time, asr; begin = time.process_time(); asr.load(sys.argv[1], device='cpu'); "
    "print(time.process_time() - begin)"
)


def measure(name: str, model: Path, size: int, recordings: Sequence[Recording],
            expected: Sequence[LogPosteriors], exact: Sequence[LogPosteriors]) -> dict[str, object]:  # fmt: skip
    recognizer = Recognizer(model)
    recognizer.recognize(recordings[0].samples)  # warms up
    begin = time.process_time()
    found = [recognizer.recognize(each.samples).symbols for each in recordings]
    seconds = time.process_time() - begin
    audio = sum(len(each.samples) for each in recordings) / recognizer.sample_rate
    scored = [recognizer.scorer.log_posteriors(each.samples) for each in recordings[: len(expected)]]
    loaded = subprocess.run([sys.executable, "-c", LOAD, str(model)], capture_output=True, text=True, check=True)
    return {
        "benchmark": "onnx",
        "system": name,
        "megabytes": round(size / 1e6, 2),
        "per": round(
            counted_per((each.reference.symbols, said) for each, said in zip(recordings, found, strict=True)), 2
        ),
        "times_real_time": round(audio / seconds),
        "difference": _largest(scored, expected),
        "difference_from_exact": _largest(scored, exact),
        "load_seconds": round(float(loaded.stdout), 2),
        "threads": 1,
    }


def _largest(found: Sequence[LogPosteriors], expected: Sequence[LogPosteriors]) -> float:
    return max(float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--files", type=int, help="utterances of the test set; by default all")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # onnxruntime takes as many threads as there are cores
    fold = open_fold(arguments.run, finished_folds(arguments.run)[0], "test")
    bundle, scorer, recordings = fold.recognizer.bundle, fold.recognizer.scorer, fold.recordings[: arguments.files]
    expected = [scorer.log_posteriors(each.samples) for each in recordings[:COMPARED]]
    with patch("asr.features.frontend.QUIET", {"fbank": 1e9, "mfcc": 1e9}):
        exact = [scorer.log_posteriors(each.samples) for each in recordings[:COMPARED]]
    table = Table(title=f"{len(recordings)} utterances of {arguments.run}, one core")
    with tempfile.TemporaryDirectory() as folder:
        weights = (bundle.folder / "model.safetensors").stat().st_size
        rows = [measure("PyTorch", bundle.folder, weights, recordings, expected, exact)]
        for precision in ("fp32", "fp16", "int8"):
            out = Path(folder) / precision
            rows.append(measure(precision, out, export(bundle.folder, out, precision), recordings, expected, exact))
    for name in list(rows[0])[1:-1]:
        table.add_column(name.replace("_", " "), justify="left" if name == "system" else "right")
    for row in rows:
        print(json.dumps(row))
        cells = list(row.items())[1:-1]
        table.add_row(*(f"{value:.1e}" if "difference" in name else str(value) for name, value in cells))
    Console().print(table)


if __name__ == "__main__":
    main()
