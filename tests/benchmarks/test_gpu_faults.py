"""The search for what fails on a GPU, where there is none."""

from pathlib import Path

import pytest

from benchmarks import gpu_faults


def test_a_step_of_each_size_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    gpu_faults.main(["--alone", "remainders", "--device", "cpu"])
    sizes = [int(line.split()[3]) for line in capsys.readouterr().out.splitlines()]
    assert sizes == list(range(1, 129))


@pytest.mark.parametrize("part", ["making", "plain"])
def test_a_part_of_the_training_ends(part: str, timit_sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gpu_faults.main(["--alone", part, "--device", "cpu", "--epochs", "1", "--corpus", str(timit_sample)])
    assert capsys.readouterr().out.splitlines()[-1] in {"epoch 1 is made", "trained"}


def test_a_part_that_fails_leaves_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gpu_faults.main(["--parts", "making,remainders", "--device", "cpu", "--corpus", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "making: exit status 1"
    assert f"    asr.errors.InputError: {tmp_path}" in lines[-3]
    assert lines[-2:] == ["remainders: exit status 0", "    a step of 128 frames"]
