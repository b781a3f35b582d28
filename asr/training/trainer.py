"""One step of training: a model, its optimiser and its loss on one device, or on all that have a process."""

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricModule, _FabricOptimizer
from torch import Tensor

from asr.config import TrainingConfig
from asr.device import use_tf32
from asr.features.spec_augment import SpecAugment
from asr.models import AcousticModel
from asr.models.normalization import share_batches
from asr.processes.ranks import are_several, on_this_machine, world_size
from asr.training.averaging import MovingAverage
from asr.training.data.minibatch import Batch, Minibatch
from asr.training.exchange import Together, all_say, sum_gradients, summed
from asr.training.freezing import Freezing
from asr.training.graphs import CudaRecorder, Recorder, Replayed
from asr.training.losses import Criterion, Scores, Sums, best_classes, make_criterion
from asr.training.optimizers import set_learning_rate

LONGEST_WAIT = timedelta(days=1)
"""How long the other processes wait while process 0 works alone; the end of a process is noticed at once."""

Model = AcousticModel | _FabricModule


def make_fabric(config: TrainingConfig, device: torch.device) -> Fabric:
    """Fabric in the recipe's precision: on one device, or on all that have a process (`asr.processes`)."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if device.type == "cuda":
        use_tf32(config.precision == "tf32")
    precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed" if config.precision == "bf16" else "32-true"
    if are_several():
        devices = on_this_machine()
        nodes, together = world_size() // devices, Together(timeout=LONGEST_WAIT)
        # Where NCCL registers a graph's buffers, a process that records waits for the others, even for one that failed.
        os.environ.setdefault("NCCL_GRAPH_REGISTER", "0")
        fabric = Fabric(
            accelerator=device.type, strategy=together, devices=devices, num_nodes=nodes, precision=precision
        )
        fabric.launch()
        return fabric
    place = [device.index or 0] if device.type == "cuda" else 1
    return Fabric(accelerator=device.type, devices=place, precision=precision)


@dataclass
class Trainer:
    """Everything an epoch needs, set up by Fabric."""

    config: TrainingConfig
    fabric: Fabric
    model: Model
    optimizer: _FabricOptimizer
    criterion: Criterion
    freezing: Freezing
    moving: MovingAverage | None = None
    spec_augment: SpecAugment | None = None
    recorder: Recorder | None = None
    learning_rate: float = 0.0

    def __post_init__(self) -> None:
        self.replayed_step = self._recorded_anew()
        self.replayed_scores = self._replayed(partial(dev_step, self))

    def _replayed(self, function: Callable[[Minibatch], tuple[Tensor, ...]]) -> Replayed:
        return Replayed(function, self.recorder, partial(all_say, self.fabric))

    def _recorded_anew(self) -> Replayed:
        return self._replayed(lambda batch: (train_step(self, batch),))

    def close(self) -> None:
        """Ends the training: no step can be replayed any more."""
        if self.recorder is not None:
            self.recorder.close()

    def train(self, update: int) -> None:
        """Prepares the model for an update, counted from 0, and those after it."""
        if self.freezing.is_on != self.freezing.at(update):
            self.freezing.turn(self.freezing.at(update))
            self.replayed_step = self._recorded_anew()
        self.freezing.train()

    def steps(self) -> AbstractContextManager[None]:
        """The context of all steps and of what makes their minibatches."""
        return nullcontext() if self.recorder is None else self.recorder.steps()

    def set_learning_rate(self, rate: float) -> None:
        """Sets the learning rate of the next steps."""
        self.learning_rate = rate
        set_learning_rate(self.optimizer.optimizer, rate)

    def scores(self, batch: Batch) -> Scores:
        """As `scores`, in single precision whatever the model's precision."""
        # Fabric sets the precision only for `forward`, not for `forward_windows`. Autocast's copies of the weights last
        # until the end of this block, so none is left from one CUDA graph to the next.
        with self.fabric.autocast():
            logits, lengths, timing = scores(self.model, batch)
        return Scores(logits.float(), lengths, None if timing is None else timing.float())

    def loss(self, sums: Sums) -> Tensor:
        """The mean loss of a label, of which the second output's, if there is one, has its share. Where several
        processes share a minibatch: this process's part of it; the parts add up to the mean."""
        own = sums.loss * self._share(sums.labels)
        if sums.timing is None or self.config.timing is None:
            return own
        timing, weight = sums.timing.loss * self._share(sums.timing.labels), self.config.timing.weight
        return timing if weight == 1 else (1 - weight) * own + weight * timing

    def _share(self, labels: Tensor) -> Tensor:
        return 1 / summed(self.fabric, labels).clamp(min=1)


def make_trainer(
    config: TrainingConfig,
    fabric: Fabric,
    model: AcousticModel,
    optimizer: torch.optim.Optimizer,
    moving: MovingAverage | None = None,
    spec_augment: SpecAugment | None = None,
    recorder: Recorder | None = None,
    update: int = 0,
) -> Trainer:
    """Hands the model and its optimiser to Fabric, for a training that begins at an update (counted from 0).

    Steps are replayed from the `recorder`; without one, from CUDA graphs where they suit and the optimiser is
    capturable.
    """
    if fabric.world_size > 1:
        share_batches(model, partial(summed, fabric))
    freezing = Freezing(config, model)
    freezing.turn(on=freezing.at(update))
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    wrapped.mark_forward_method("forward_windows")
    wrapped.mark_forward_method("forward_timed")
    criterion = make_criterion(config, model.subsampling)
    if recorder is None and suits_graphs(fabric) and isinstance(optimizer.param_groups[0]["lr"], Tensor):
        recorder = CudaRecorder(fabric.device)
    return Trainer(config, fabric, wrapped, wrapped_optimizer, criterion, freezing, moving, spec_augment, recorder)


def suits_graphs(fabric: Fabric) -> bool:
    """Whether steps can be CUDA graphs. Not between machines: NCCL 2.28, which PyTorch 2.11 brings, is said to hang
    there in graphs (github.com/vllm-project/vllm/issues/52504)."""
    return fabric.device.type == "cuda" and fabric.world_size == on_this_machine()


def train_step(trainer: Trainer, minibatch: Minibatch) -> Tensor:
    """One update; returns the loss that it lowers, the norm of its gradient before clipping, and the sums of `Sums`:
    [6 or 10]."""
    batch = minibatch.gathered()
    if trainer.spec_augment is not None:
        batch = replace(batch, inputs=trainer.spec_augment(batch.inputs, batch.lengths))
    sums = trainer.criterion(trainer.scores(batch), batch)
    trainer.optimizer.zero_grad(set_to_none=True)
    loss = trainer.loss(sums)
    trainer.fabric.backward(loss)
    sum_gradients(trainer.fabric, trainer.model)
    norm = _gradient_norm(trainer)
    trainer.optimizer.step()
    if trainer.moving is not None:
        trainer.moving.update()
    return torch.cat([torch.stack([loss.detach(), norm.detach()]).double(), sums.detached()])


def _gradient_norm(trainer: Trainer) -> Tensor:
    """The norm of the gradient, which is then clipped where the recipe says so."""
    if (most := trainer.config.clip_gradient) is None:
        gradients = (parameter.grad for parameter in trainer.model.parameters())
        return torch.nn.utils.get_total_norm([each for each in gradients if each is not None])
    norm = trainer.fabric.clip_gradients(trainer.model, trainer.optimizer, max_norm=most, error_if_nonfinite=False)
    assert norm is not None
    return norm


def sums_of(config: TrainingConfig) -> int:
    """How many numbers the `Sums` of a minibatch are."""
    return 4 if config.timing is None else 8


def dev_step(trainer: Trainer, minibatch: Minibatch) -> tuple[Tensor, ...]:
    """The sums [4 or 8] of `Sums`; and under CTC, whose errors the host counts, `best_classes`."""
    batch = minibatch.gathered()
    scored = trainer.scores(batch)
    sums = trainer.criterion(scored, batch).detached()
    if trainer.config.loss != "ctc":
        return (sums,)
    assert scored.lengths is not None
    return sums, best_classes(scored.logits, scored.lengths)


def scores(model: Model, batch: Batch) -> Scores:
    """The model's scores of a minibatch; those of its second output where that has labels."""
    if batch.lengths is None:
        score: Callable[[Tensor], Tensor] = model.forward_windows
        return Scores(score(batch.inputs), None)
    if batch.timing is None:
        return Scores(*model(batch.inputs, batch.lengths))
    timed: Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]] = model.forward_timed
    return Scores(*timed(batch.inputs, batch.lengths))
