"""Two processes with half of each minibatch train the model that one trains with the whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from asr.files import read_jsonl

LOSSES = ("cross_entropy", "ctc")
SCRIPT = """
import sys
from pathlib import Path
import torch
sys.path.insert(0, sys.argv[2])
from asr import models
from asr.training.loop import fit, make_fabric
from asr.weights import save_weights
from test_loop import CPU, recipe, separable_frames, separable_phones

fabric = make_fabric(recipe().training, CPU)
for loss, sets in (("cross_entropy", separable_frames), ("ctc", separable_phones)):
    out = Path(sys.argv[1]) / loss
    config = recipe(loss=loss, epochs=2, optimizer={"type": "sgd", "learning_rate": 0.1}, batch_size=33)
    config = config.model_copy(update={"model": config.model.model_copy(update={"dropout": 0.0})})
    torch.manual_seed(0)
    model = models.build(config.model, 4, 4)
    fit(config, fabric, model, sets(0), sets(1), out, "one")
    if fabric.is_global_zero:
        save_weights(out / "model.safetensors", model.state_dict())
"""


def test_two_processes_equal_one(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    here = str(Path(__file__).parent)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [str(script), str(tmp_path / "one"), here]
    subprocess.run([sys.executable, *command], check=True, env=environment, timeout=120)
    command[1] = str(tmp_path / "two")
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    subprocess.run([sys.executable, *launcher, *command], check=True, env=environment, timeout=240)
    for loss in LOSSES:
        folders = tmp_path / "one" / loss, tmp_path / "two" / loss
        one, two = (load_file(folder / "model.safetensors") for folder in folders)
        for name, tensor in one.items():
            torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5)
        alone, shared = (list(read_jsonl(folder / "metrics.jsonl")) for folder in folders)
        assert len(alone) == len(shared) == 2
        for one_row, two_row in zip(alone, shared, strict=True):
            for figure in one_row.keys() - {"seconds", "frames_per_second"}:
                assert two_row[figure] == pytest.approx(one_row[figure], rel=1e-3)
