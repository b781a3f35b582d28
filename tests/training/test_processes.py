"""Two processes with half of each minibatch train the model that one trains with the whole."""

import socket
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.commands.forked import context
from support.models import separable_training

from asr.storage.json_files import read_jsonl


def test_two_processes_equal_one(tmp_path: Path) -> None:
    separable_training.train_each(tmp_path / "one")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    two_processes = [
        context().Process(target=separable_training.train_as, args=(number, 2, port, tmp_path / "two"))
        for number in range(2)
    ]
    for each in two_processes:
        each.start()
    for each in two_processes:
        each.join(240)
        assert each.exitcode == 0
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
