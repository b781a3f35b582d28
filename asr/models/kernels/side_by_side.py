"""Two modules, such as the directions of a recurrent layer, side by side on a CPU's cores."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

Result = TypeVar("Result")


def side_by_side(cells: Sequence[nn.Module], inputs: Sequence[Tensor], valid: Tensor) -> list[Tensor]:
    """Applies two modules, `cell(x, valid)`, to an input [T, B, D] each; gradients flow as through plain calls.

    Each has a thread and half of the cores, forward and backward: a step is too small a product to be worth splitting
    (a GRU on two busy cores: twice the frames a second of one direction after the other).
    """
    parameters = [list(cell.parameters()) for cell in cells]
    return list(_SideBySide.apply(cells, torch.is_grad_enabled(), valid, *inputs, *parameters[0], *parameters[1]))


def can_run_side_by_side(x: Tensor) -> bool:
    """Whether an input is on a CPU with two threads, and nothing that watches this thread alone needs to see inside."""
    watched = is_in_torch_dispatch_mode() or torch.jit.is_tracing()
    return x.device.type == "cpu" and torch.get_num_threads() >= 2 and not watched


class _SideBySide(torch.autograd.Function):
    """Builds and walks each cell's own graph in that cell's thread: autograd alone would walk both in one thread."""

    @staticmethod
    def forward(
        ctx: Any, cells: Sequence[nn.Module], recording: bool, valid: Tensor, *tensors: Tensor
    ) -> tuple[Tensor, Tensor]:
        wanted = recording and any(ctx.needs_input_grad)  # these are set by the parameters, also in inference
        precision = torch.get_autocast_dtype("cpu"), torch.is_autocast_enabled("cpu")
        leaves = [x.detach().requires_grad_(wanted) for x in tensors[:2]]

        def run(direction: int) -> Tensor:
            with torch.set_grad_enabled(wanted), torch.autocast("cpu", *precision, cache_enabled=False):
                return cells[direction](leaves[direction], valid)

        outputs = _in_two_threads(run)
        if wanted:
            ctx.outputs = outputs
            ctx.leaves = [[x, *cell.parameters()] for x, cell in zip(leaves, cells, strict=True)]
        return outputs[0].detach(), outputs[1].detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        def run(direction: int) -> Sequence[Tensor | None]:
            leaves = [x for x in ctx.leaves[direction] if x.requires_grad]
            found = torch.autograd.grad(ctx.outputs[direction], leaves, grads[direction], retain_graph=True)
            of_leaf = iter(found)
            return [next(of_leaf) if x.requires_grad else None for x in ctx.leaves[direction]]

        (first, *of_first), (second, *of_second) = _in_two_threads(run)
        return None, None, None, first, second, *of_first, *of_second


def _in_two_threads(run: Callable[[int], Result]) -> list[Result]:
    threads = torch.get_num_threads()
    waiting = [_pool(max(threads // 2, 1), os.getpid()).submit(run, direction) for direction in range(2)]
    return [future.result() for future in waiting]


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Two workers of `threads` threads each. A forked process inherits no threads, so it makes its own pool."""
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(2, "direction", initializer=torch.set_num_threads, initargs=(threads,))
    both_started = threading.Barrier(2)
    list(pool.map(lambda _: both_started.wait(), range(2)))
    torch.set_num_threads(before)  # the workers' setting is also the default of every later thread
    return pool
