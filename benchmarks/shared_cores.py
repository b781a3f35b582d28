"""Training and transcription while other processes are busy: the command's own choice of threads, and fixed ones.

    python benchmarks/shared_cores.py RUN [--busy N] [--rounds N]

RUN is a finished run without folds. The choices take turns, and each figure is the least of all rounds: seconds of
`asr train` for one epoch of the run's recipe, and of `asr transcribe` for the recordings of its test set.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from asr.corpora.cuts import read_cuts
from asr.storage.run_layout import FEATURES, PREPARE, RECIPE, cuts_path
from asr.threads import WAITING, available_cores
from benchmarks.transcription import run

SPINNING = {"GOMP_SPINCOUNT": "300000"}
"""What libgomp does where nothing is set."""


def choices() -> dict[str, dict[str, str]]:
    every = {"OMP_NUM_THREADS": str(available_cores())}
    return {
        "default": {},
        "one thread": {"OMP_NUM_THREADS": "1"},
        "a thread a core, spinning": every | SPINNING,
        "a thread a core, sleeping": every | {"OMP_WAIT_POLICY": "PASSIVE"},
    }


def commands(finished: Path, folder: Path) -> dict[str, list[str | Path]]:
    recordings = [cut.recording.sources[0].source for cut in read_cuts(cuts_path(finished / PREPARE, "test"))]
    asr = [sys.executable, "-m", "asr"]
    settings = ["--recipe", finished / RECIPE, "--set", "training.epochs=1", "--device", "cpu"]
    return {
        "train": [*asr, "train", finished / PREPARE, finished / FEATURES, folder / "train", *settings],
        "transcribe": [*asr, "transcribe", finished, *recordings, "-o", folder / "transcribe", "--device", "cpu"],
    }


def seconds(name: str, finished: Path, environment: dict[str, str]) -> float:
    for setting in (*WAITING, "OMP_NUM_THREADS"):
        os.environ.pop(setting, None)
    os.environ.update(environment)
    with tempfile.TemporaryDirectory() as folder:
        return run(commands(finished, Path(folder))[name]).seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--busy", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(arguments.busy)]
    try:
        for name in ("train", "transcribe"):
            least = dict.fromkeys(choices(), float("inf"))
            for _ in range(arguments.rounds):
                for choice, environment in choices().items():
                    least[choice] = min(least[choice], seconds(name, arguments.run, environment))
            for choice, figure in least.items():
                row = {"benchmark": "shared cores", "task": name, "choice": choice, "figure": round(figure, 2)}
                print(json.dumps(row | {"unit": "s", "busy": arguments.busy, "cores": available_cores()}), flush=True)
    finally:
        for process in busy:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
