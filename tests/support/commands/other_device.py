"""A GPU that is not there: fake tensors, without values, which no operation may mix with those of the host."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from asr.models.kernels import gpu

DEVICE = torch.device("meta")
"""Not cuda, of which PyTorch computes no gradients without a driver."""


@contextmanager
def other_device(monkeypatch: pytest.MonkeyPatch, triton: bool) -> Iterator[None]:
    """Inside, new tensors are fake; those of DEVICE are computed as on a GPU, with or without Triton. Raises
    RuntimeError where an operation mixes devices or the host reads a value."""
    monkeypatch.setattr(gpu, "DEVICES", {DEVICE.type})
    monkeypatch.setattr(gpu, "triton_works", lambda _: triton)
    monkeypatch.setattr(gpu, "launch", _launch)
    monkeypatch.setattr(torch, "autocast", _without_autocast)
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda _: False)
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    mode.allow_meta = True
    with mode:
        yield


def _launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **settings: Any) -> None:
    """Triton's kernels take contiguous arrays of the device."""
    for each in arguments:
        assert not isinstance(each, Tensor) or (each.device.type == DEVICE.type and each.is_contiguous()), kernel


def _without_autocast(*_: Any, **__: Any) -> AbstractContextManager[None]:
    return nullcontext()  # PyTorch has none for this device
