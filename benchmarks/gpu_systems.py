"""What trains in the GPU benchmark: our loop, the same model in plain PyTorch, and cuDNN's layers alone."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.config import GruConfig, LstmConfig, RecipeConfig
from asr.phones.classes import UNLABELLED
from asr.training.data.minibatch import Batch
from benchmarks.training_systems import Part, Run, System, build, each, our_loop, plain_step

SYSTEMS = ("asr", "eager", "compiled", "cudnn")
CUDNN = {"lstm": nn.LSTM, "gru": nn.GRU}


def has_system(name: str, config: RecipeConfig) -> bool:
    """cuDNN has no light GRU, and none with convolutions before it."""
    return name != "cudnn" or config.model.type in CUDNN


def make_system(name: str, config: RecipeConfig, device: torch.device) -> System:
    """asr: our training. eager: our model in a plain loop. compiled: the same by torch.compile. cudnn: its
    bidirectional layers and an output layer, without dropout and normalisation.

    Minibatches of all but asr are gathered beforehand.
    """
    match name:
        case "asr":
            return our_loop(config, device)
        case "eager":
            return gathered(plain_step(config, device))
        case "compiled":
            return gathered(plain_step(config, device, compiled), one_shape)
        case _:
            return gathered(plain_step(config, device, CudnnLayers))


def gathered(
    step: Callable[[Batch], None], change: Callable[[list[Batch]], list[Batch]] = lambda batches: batches
) -> System:
    def ready(part: Part) -> Run:
        batches = change([part.batch(members) for members in part.members])
        return Run(lambda: each(step, batches), part.frames)

    return ready


def compiled(config: RecipeConfig) -> nn.Module:
    model = build(config)
    for name in ("forward", "forward_windows"):
        setattr(model, name, torch.compile(getattr(model, name), mode="reduce-overhead", dynamic=False))
    return model


def one_shape(batches: list[Batch]) -> list[Batch]:
    """Minibatches padded to the largest, as a compiled model needs: with frames, and with utterances of one frame."""
    if batches[0].lengths is None:
        return [batch for batch in batches if len(batch.inputs) == len(batches[0].inputs)] or batches
    most, frames, labels = (max(batch.inputs.shape[0] for batch in batches), *_longest(batches))
    return [_padded(batch, most, frames, labels) for batch in batches]


def _longest(batches: list[Batch]) -> tuple[int, int]:
    return max(batch.inputs.shape[1] for batch in batches), max(batch.labels.shape[1] for batch in batches)


def _padded(batch: Batch, most: int, frames: int, labels: int) -> Batch:
    more = most - len(batch.inputs)
    assert batch.lengths is not None
    return replace(
        batch,
        inputs=functional.pad(batch.inputs, (0, 0, 0, frames - batch.inputs.shape[1], 0, more)),
        labels=functional.pad(batch.labels, (0, labels - batch.labels.shape[1], 0, more), value=UNLABELLED),
        lengths=functional.pad(batch.lengths, (0, more), value=1),
    )


class CudnnLayers(nn.Module):
    """As many bidirectional layers as the recipe's, in one call of the library."""

    subsampling = 1

    def __init__(self, config: RecipeConfig) -> None:
        super().__init__()
        model = config.model
        assert isinstance(model, LstmConfig | GruConfig)
        self.layers = CUDNN[model.type](
            config.features.dim, model.width, model.layers, batch_first=True, bidirectional=True
        )
        self.output = nn.Linear(2 * model.width, len(config.class_names))

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        hidden, _ = self.layers(inputs)
        return self.output(hidden), lengths
