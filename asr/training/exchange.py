"""What the processes that train together exchange: sums, by calls that a CUDA graph can record."""

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, nn


class Together(DDPStrategy):
    """Fabric's strategy of several processes, without its wrapper around the model: that exchanges gradients while
    they are computed, from a thread of its own, and a CUDA graph records it only after many plain steps. Here a step
    calls `sum_gradients`."""

    def setup_module(self, module: nn.Module) -> nn.Module:  # type: ignore[override]
        return module


def begin_alike(fabric: Fabric, model: nn.Module) -> None:
    """Gives the model in each process the weights of that in process 0."""
    if fabric.world_size > 1:
        for tensor in model.state_dict().values():
            torch.distributed.broadcast(tensor, src=0)


def summed(fabric: Fabric, values: Tensor) -> Tensor:
    """The sum over all processes of values of any shape."""
    if fabric.world_size == 1:
        return values
    total = values.clone()
    torch.distributed.all_reduce(total)  # Fabric's makes the host wait for all processes first
    return total


def sum_gradients(fabric: Fabric, model: nn.Module) -> None:
    """Replaces each gradient by its sum over all processes, in one exchange."""
    if fabric.world_size == 1:
        return
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    total = torch.cat([gradient.flatten() for gradient in gradients])
    torch.distributed.all_reduce(total)
    parts = total.split([gradient.numel() for gradient in gradients])
    torch._foreach_copy_(gradients, [part.view_as(own) for part, own in zip(parts, gradients, strict=True)])


def all_say(fabric: Fabric, yes: bool) -> bool:
    """Whether all processes say yes; the host waits for their answers."""
    return summed(fabric, torch.tensor(int(yes), device=fabric.device)).item() == fabric.world_size
