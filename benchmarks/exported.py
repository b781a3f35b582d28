"""Exported models beside their bundle: size, PER, speed, and the largest difference of a log posterior.

    .venv/bin/python benchmarks/exported.py RUN [--files N]

RUN is a finished run, or a fold of one. Each utterance of its test set is recognised alone: by PyTorch, and by
onnxruntime in each precision, on one thread. The difference is over the first 20 utterances, from PyTorch as it is and
with its front end in double precision throughout, as the graph computes it. Load is the processor time of `asr.load` in
a new process, after `import asr`, with what it imports.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

os.environ["OMP_NUM_THREADS"] = "1"  # before PyTorch is imported

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table

from asr.acoustics.bundle import read_bundle
from asr.acoustics.posteriors import LogPosteriors
from asr.audio import read_audio
from asr.corpora.cuts import phone_sequence, read_cuts
from asr.export.export import export
from asr.recognizer import Recognizer
from asr.scoring.score import counted_per

COMPARED = 20
LOAD = (
    "import sys, time, asr; begin = time.process_time(); asr.load(sys.argv[1], device='cpu'); "
    "print(time.process_time() - begin)"
)


@dataclass(frozen=True)
class Utterance:
    waveform: npt.NDArray[np.float32]
    phones: Sequence[str]


def test_set(run: Path, sample_rate: int, most: int | None) -> list[Utterance]:
    fold = run.name if run.name.startswith("fold-") else ("fold-1" if (run / "fold-1").is_dir() else "")
    prepared = (run.parent if run.name.startswith("fold-") else run) / "prepare" / fold
    cuts = list(read_cuts(prepared / "test.cuts.jsonl.gz"))[:most]
    return [Utterance(read_audio(cut.recording.sources[0].source, sample_rate), phone_sequence(cut)) for cut in cuts]


def measure(name: str, model: Path, size: int, utterances: Sequence[Utterance], expected: Sequence[LogPosteriors],
            exact: Sequence[LogPosteriors]) -> dict[str, object]:  # fmt: skip
    recognizer = Recognizer(model)
    recognizer.recognize(utterances[0].waveform)  # warms up
    begin = time.process_time()
    found = [recognizer.recognize(each.waveform).symbols for each in utterances]
    seconds = time.process_time() - begin
    audio = sum(len(each.waveform) for each in utterances) / recognizer.sample_rate
    scored = [recognizer.scorer.log_posteriors(each.waveform) for each in utterances[: len(expected)]]
    loaded = subprocess.run([sys.executable, "-c", LOAD, str(model)], capture_output=True, text=True, check=True)
    return {
        "benchmark": "onnx",
        "system": name,
        "megabytes": round(size / 1e6, 2),
        "per": round(counted_per((each.phones, said) for each, said in zip(utterances, found, strict=True)), 2),
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
    torch.set_num_threads(1)
    bundle = read_bundle(arguments.run)
    utterances = test_set(arguments.run, bundle.config.features.sample_rate, arguments.files)
    scorer = Recognizer(bundle).scorer
    expected = [scorer.log_posteriors(each.waveform) for each in utterances[:COMPARED]]
    with patch("asr.features.frontend.QUIET", {"fbank": 1e9, "mfcc": 1e9}):
        exact = [scorer.log_posteriors(each.waveform) for each in utterances[:COMPARED]]
    table = Table(title=f"{len(utterances)} utterances of {arguments.run}, one thread")
    with tempfile.TemporaryDirectory() as folder:
        weights = (bundle.folder / "model.safetensors").stat().st_size
        rows = [measure("PyTorch", bundle.folder, weights, utterances, expected, exact)]
        for precision in ("fp32", "fp16", "int8"):
            out = Path(folder) / precision
            rows.append(measure(precision, out, export(bundle.folder, out, precision), utterances, expected, exact))
    for name in list(rows[0])[1:-1]:
        table.add_column(name.replace("_", " "), justify="left" if name == "system" else "right")
    for row in rows:
        print(json.dumps(row))
        cells = list(row.items())[1:-1]
        table.add_row(*(f"{value:.1e}" if "difference" in name else str(value) for name, value in cells))
    Console().print(table)


if __name__ == "__main__":
    main()
