"""Two processes with half of each minibatch train the model that one trains with the whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support import separable_training

from asr.storage.files import read_jsonl


def test_two_processes_equal_one(tmp_path: Path) -> None:
    separable_training.train_each(tmp_path / "one")
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    command = [sys.executable, *launcher, separable_training.__file__, str(tmp_path / "two")]
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])  # the same package as here
    subprocess.run(
        command,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        timeout=240,
    )
    for case in separable_training.CASES:
        folders = tmp_path / "one" / case, tmp_path / "two" / case
        one, two = (load_file(folder / "model.safetensors") for folder in folders)
        for name, tensor in one.items():
            torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5)
        alone, shared = (list(read_jsonl(folder / "metrics.jsonl")) for folder in folders)
        assert len(alone) == len(shared) == 2
        for one_row, two_row in zip(alone, shared, strict=True):
            for figure in one_row.keys() - {"seconds", "frames_per_second"}:
                assert two_row[figure] == pytest.approx(one_row[figure], rel=1e-3)
