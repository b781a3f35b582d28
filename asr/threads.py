"""How many threads PyTorch computes with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Small products take longer in two threads than in one, and far longer where another process is busy."""
    if (torch := sys.modules.get("torch")) is None:  # a model that needs none
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
