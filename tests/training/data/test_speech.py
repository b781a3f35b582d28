"""Rows in a mapped file: zeros on any system, and one line where the disk is full."""

import os
import subprocess
from pathlib import Path

import pytest
import torch

from asr.errors import OutputError
from asr.training.data.speech import row_storage

CPU = torch.device("cpu")


@pytest.mark.parametrize("native", [True, False])
def test_rows_are_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    if not native:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    rows = row_storage((30_000, 40), tmp_path / ".rows", CPU)
    assert rows.shape == (30_000, 40)
    assert not rows.any()
    rows[-1] = 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("native", [True, False])
def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    if not native:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    mounted = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small disk")
    try:
        with pytest.raises(OutputError, match="cannot write: No space left on device; free disk space"):
            row_storage((30_000, 40), tmp_path / ".rows", CPU)
        row_storage((1_000, 40), tmp_path / ".rows", CPU).fill_(1)
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)
