"""A stand-in for CUDA graphs on the CPU: records the operations of a call, and repeats them on the same memory.

As with a graph, whatever the call did in Python is fixed: numbers, shapes, and which tensors it read and wrote. The
host may neither read a tensor on the way nor make one of its own values.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from asr.training.graphs import Recording, Results

aten = torch.ops.aten

ACCESSES = {
    Tensor.__bool__, Tensor.__float__, Tensor.__index__, Tensor.__int__, Tensor.cpu, Tensor.item, Tensor.numpy,
    Tensor.tolist, torch.as_tensor, torch.from_numpy, torch.tensor,
}  # fmt: skip
"""What gives the host the values of a tensor, or a tensor the values of the host."""

SHAPED_BY_VALUES = {
    aten._local_scalar_dense, aten._unique2, aten.equal, aten.is_nonzero, aten.masked_select, aten.nonzero,
    aten.repeat_interleave, aten.unique_consecutive, aten.unique_dim,
}  # fmt: skip
"""Operations whose result's shape, or a number that the host gets, depends on values."""


class HostAccessError(RuntimeError):
    """The host needed the values of a tensor, or a tensor those of the host."""


class NoHostAccess(TorchDispatchMode):
    """Refuses operations after which the host would wait for a device. The others are passed to `seen`."""

    def __init__(self) -> None:
        super().__init__()
        self.methods = _NoHostFunctions()

    def __enter__(self) -> "NoHostAccess":
        self.methods.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.methods.__exit__(*error)

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        packet = function.overloadpacket
        masked = packet in (aten.index, aten.index_put, aten.index_put_) and _is_mask(args[1])
        if packet in SHAPED_BY_VALUES or masked:
            raise HostAccessError(str(function))
        call = partial(_done_at_once(function), *args, **kwargs)
        results = call()
        self.seen(function, call, results)
        return results

    def seen(self, function: Any, call: "partial[Any]", results: Any) -> None:
        """An operation, its call, and what it returned."""


class _NoHostFunctions(TorchFunctionMode):
    """On the CPU these need no operation that a dispatch mode would see."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function in ACCESSES:
            raise HostAccessError(function.__name__)
        return function(*args, **(kwargs or {}))


def _done_at_once(function: Any) -> Callable[..., Any]:
    """The same operation, whose results are there when it returns, in shapes that do not depend on values."""
    if function.namespace == "c10d":
        return partial(_waited_for, function)
    return _ctc_loss if function.overloadpacket is aten._ctc_loss else function


def _waited_for(exchange: Callable[..., tuple[Any, Any]], *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    tensors, work = exchange(*args, **kwargs)
    work.wait()
    return tensors, work


def _ctc_loss(log_posteriors: Tensor, labels: Tensor, *lengths: Any) -> tuple[Tensor, Tensor]:
    """The CPU's CTC, with a result for the gradient whose shape does not depend on the most labels of an utterance."""
    losses, alpha = aten._ctc_loss(log_posteriors, labels, *lengths)
    return losses, functional.pad(alpha, (0, 2 * labels.shape[1] + 1 - alpha.shape[2]))


def _is_mask(indices: Any) -> bool:
    return any(isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8) for index in indices)


class Operations(NoHostAccess):
    """The operations of a call, with the tensors that they read and wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[Callable[[], Any], list[Tensor]]] = []

    def seen(self, function: Any, call: "partial[Any]", results: Any) -> None:
        aliases = [each.alias_info for each in function._schema.returns]
        if aliases and all(alias is not None and not alias.is_write for alias in aliases):
            return  # a view, of memory that stays
        args, kwargs = tree_map_only(Tensor, Tensor.detach, (call.args, call.keywords))
        new = [] if any(alias is not None for alias in aliases) else _tensors(results)
        again = partial(_in_grad_mode, torch.is_grad_enabled(), partial(call.func, *args, **kwargs))
        self.made.append((again, [tensor.detach() for tensor in new]))

    def repeat(self) -> None:
        """Does all again, with the results in the same memory."""
        with torch._C._AutoDispatchBelowAutograd():
            for again, places in self.made:
                results = again()
                for place, result in zip(places, _tensors(results) if places else (), strict=True):
                    place.copy_(result)

    def spoil(self) -> None:
        """Fills the memory of all results with what nothing may use."""
        for place in (place for _, places in self.made for place in places):
            place.fill_(torch.nan if place.is_floating_point() else 0)


def _in_grad_mode(enabled: bool, call: Callable[[], Any]) -> Any:
    with torch.set_grad_enabled(enabled):  # some operations keep what their gradient needs
        return call()


def _tensors(results: Any) -> list[Tensor]:
    return [each for each in tree_leaves(results) if isinstance(each, Tensor)]


class CpuRecorder:
    """Records on the CPU; `calls` counts the calls that were recorded, and `replays` those that were repeated.

    As the memory of CUDA graphs is shared, a call spoils what the others left in theirs.
    """

    def __init__(self) -> None:
        self.failed = False
        self.calls = self.replays = 0
        self.recorded: list[Operations] = []

    def record(self, function: Callable[[], Results]) -> Recording:
        operations, random = Operations(), torch.get_rng_state()
        try:
            with operations:
                results = function()
        except RuntimeError:
            torch.set_rng_state(random)
            raise
        self._spoil_others(operations)
        self.recorded.append(operations)
        self.calls += 1

        done = False  # by recording; a graph's first replay does it

        def replay() -> None:
            nonlocal done
            if not done:
                done = True
                return
            self._spoil_others(operations)
            operations.repeat()
            self.replays += 1

        return Recording(replay, results)

    def _spoil_others(self, operations: Operations) -> None:
        for other in self.recorded:
            if other is not operations:
                other.spoil()

    def steps(self) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self) -> None:
        self.recorded.clear()


class Plain(CpuRecorder):
    """Records nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = True
