"""Double precision, in which layers and gradients are compared exactly."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def double_precision() -> Iterator[None]:
    """New tensors are in double precision, from a fixed seed; PyTorch has one thread."""
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_num_threads(threads)
