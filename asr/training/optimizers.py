"""Optimisers, and how their learning rate changes from step to step."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

from asr.config import (
    AdagradConfig,
    AdamConfig,
    AdamwConfig,
    OptimizerConfig,
    RmspropConfig,
    SgdConfig,
    TrainingConfig,
)
from asr.models import AcousticModel

ParameterGroup = dict[str, Any]
"""As PyTorch's optimisers take it: `params`, and the `factor` of their learning rate."""


def parameter_groups(model: AcousticModel, config: TrainingConfig) -> list[ParameterGroup]:
    """The parameters of a model that are trained; the encoder's are apart where they have their own learning rate."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if config.encoder_learning_rate is None:
        return [{"params": trained, "factor": 1.0}]
    outputs = {parameter for layer in model.output_layers for parameter in layer.parameters()}
    factor = config.encoder_learning_rate / config.optimizer.learning_rate
    groups = [
        {"params": [each for each in trained if each in outputs], "factor": 1.0},
        {"params": [each for each in trained if each not in outputs], "factor": factor},
    ]
    return [group for group in groups if group["params"]]


def make_optimizer(
    config: OptimizerConfig,
    parameters: Iterable[nn.Parameter] | Iterable[ParameterGroup],
    capturable: bool | None = None,
) -> Optimizer:
    """Builds the optimiser of a recipe; fused kernels, where there are any, update all parameters in one pass. AdamW's
    weight decay is decoupled (Loshchilov & Hutter 2019).

    `parameters` may be in groups, as `parameter_groups` makes them. The steps of a `capturable` one (None: on CUDA)
    depend on tensors alone, the learning rates among them, so that they can be part of a CUDA graph.
    """
    groups, decay = _groups(parameters), config.weight_decay
    device = groups[0]["params"][0].device
    if capturable is None:
        capturable = device.type == "cuda"
    rate: float | Tensor = config.learning_rate
    if capturable:  # the kernels on CUDA read single precision; on a CPU double is what a number is
        kind = torch.float32 if device.type == "cuda" else torch.float64
        rate = torch.tensor(config.learning_rate, dtype=kind, device=device)
    groups = [{**group, "lr": rate * group["factor"]} for group in groups]
    match config:
        case SgdConfig(momentum=momentum):
            sgd = SGD(groups, lr=rate, momentum=momentum, weight_decay=decay, fused=True)
            if momentum:  # torch's kernel takes no parameters that get their first gradient later than others
                sgd.state.update(
                    {each: {"momentum_buffer": torch.zeros_like(each)} for group in groups for each in group["params"]}
                )
            return sgd
        case AdagradConfig():
            if isinstance(rate, Tensor):
                return CapturableScaling(groups, rate, "sum", weight_decay=decay, eps=1e-10)
            return Adagrad(groups, lr=rate, weight_decay=decay)
        case RmspropConfig(smoothing=smoothing, momentum=momentum):
            if isinstance(rate, Tensor):
                return CapturableScaling(
                    groups, rate, "square_avg", smoothing=smoothing, momentum=momentum, weight_decay=decay, eps=1e-8
                )
            return RMSprop(groups, lr=rate, alpha=smoothing, momentum=momentum, weight_decay=decay)
        case AdamConfig():
            return Adam(groups, lr=rate, weight_decay=decay, fused=True, capturable=capturable)
        case AdamwConfig():
            return AdamW(groups, lr=rate, weight_decay=decay, fused=True, capturable=capturable)


def _groups(parameters: Iterable[nn.Parameter] | Iterable[ParameterGroup]) -> list[ParameterGroup]:
    each = list(parameters)
    return [group for group in each if isinstance(group, dict)] or [{"params": each, "factor": 1.0}]


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Sets the learning rate of the next step, without waiting for the device; a group's is its factor times that."""
    for group in optimizer.param_groups:
        own = rate * group["factor"]
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(own)
        else:
            group["lr"] = own


class CapturableScaling(Optimizer):
    """Adagrad (Duchi et al. 2011) or RMSprop (Tieleman & Hinton 2012), as in torch but for the learning rate, which may
    be a tensor on any device.

    Gradients are divided by the root of the state `squares`: the sum of all squared gradients or, with `smoothing`,
    their running mean.
    """

    def __init__(
        self,
        parameters: Iterable[ParameterGroup],
        lr: Tensor,
        squares: str,
        *,
        smoothing: float | None = None,
        momentum: float = 0.0,
        weight_decay: float,
        eps: float,
    ) -> None:
        self.squares, self.smoothing, self.momentum = squares, smoothing, momentum
        self.weight_decay, self.eps = weight_decay, eps
        super().__init__(parameters, {"lr": lr, "capturable": True})
        for parameter in (each for group in self.param_groups for each in group["params"]):
            state = self.state[parameter]
            state["step"] = torch.zeros((), device=parameter.device)  # torch's own, on another device, expects one
            state[squares] = torch.zeros_like(parameter)
            if momentum:
                state["momentum_buffer"] = torch.zeros_like(parameter)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            self._step(group)

    def _step(self, group: ParameterGroup) -> None:
        parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
        if not parameters:
            return
        states: list[dict[str, Tensor]] = [self.state[parameter] for parameter in parameters]
        grads: tuple[Tensor, ...] = tuple(parameter.grad for parameter in parameters)
        if self.weight_decay:
            grads = torch._foreach_add(grads, parameters, alpha=self.weight_decay)
        squares = [state[self.squares] for state in states]
        if self.smoothing is not None:
            torch._foreach_mul_(squares, self.smoothing)
        torch._foreach_addcmul_(squares, grads, grads, 1.0 if self.smoothing is None else 1 - self.smoothing)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, self.eps)
        steps = torch._foreach_div(grads, roots)
        if self.momentum:
            buffers = tuple(state["momentum_buffer"] for state in states)
            torch._foreach_mul_(buffers, self.momentum)
            torch._foreach_add_(buffers, steps)
            steps = buffers
        torch._foreach_sub_(parameters, torch._foreach_mul(steps, group["lr"]))
