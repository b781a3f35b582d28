"""The training loop: plain, the same for every model, batching and loss; on a CPU, resuming changes no bit."""

import gc
import logging
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from lightning_fabric.wrappers import _FabricModule, _FabricOptimizer
from torch import Tensor

from asr.config import RecipeConfig, TrainingConfig
from asr.device import use_tf32
from asr.errors import InputError, is_out_of_memory, listed
from asr.features.spec_augment import SpecAugment
from asr.models import AcousticModel
from asr.models.normalization import share_batches
from asr.processes.ranks import are_several, world_size
from asr.progress import track
from asr.storage.weights import save_checked
from asr.training.averaging import MovingAverage, epoch_path, epochs_to_keep, forget_epochs, load_average
from asr.training.checkpoint import Progress, Trained, load_checkpoint, save_checkpoint
from asr.training.data.batching import Batch, Batching, EpochSets, Minibatch, batches
from asr.training.data.memory import forget_peak_memory, give_back, peak_memory
from asr.training.freezing import Freezing
from asr.training.graphs import CudaRecorder, Recorder, Replayed
from asr.training.losses import Criterion, Scores, Sums, best_classes, greedy_errors, make_criterion
from asr.training.metrics import Figures, MetricsLog
from asr.training.optimizers import make_optimizer, parameter_groups, set_learning_rate
from asr.training.schedules import dev_factor, step_factor

DEV_BATCH = {"cpu": 4096, "cuda": 16_384}
"""Frames in a minibatch of the dev set."""
GIVE_BACK_EVERY = 16
"""Steps after which a CPU's freed memory goes back to the system."""
LONGEST_WAIT = timedelta(days=1)
"""How long the other processes wait while process 0 works alone; the end of a process is noticed at once."""
SEEDS_PER_RUN = 1_000_003

Model = AcousticModel | _FabricModule


def make_fabric(config: TrainingConfig, device: torch.device) -> Fabric:
    """Fabric in the recipe's precision: on one device, or on all that have a process (`asr.processes`)."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if device.type == "cuda":
        use_tf32(config.precision == "tf32")
    precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed" if config.precision == "bf16" else "32-true"
    if are_several():
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes, together = world_size() // devices, DDPStrategy(timeout=LONGEST_WAIT)
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
        self.replayed_step = self._step()
        self.replayed_scores = Replayed(partial(dev_step, self), self.recorder)

    def _step(self) -> Replayed:
        return Replayed(lambda batch: (train_step(self, batch),), self.recorder)

    def train(self, update: int) -> None:
        """Prepares the model for an update, counted from 0, and those after it."""
        if self.freezing.is_on != self.freezing.at(update):
            self.freezing.turn(self.freezing.at(update))
            model, optimizer = self.freezing.model, self.optimizer.optimizer
            del self.model, self.optimizer
            gc.collect()  # several processes exchange the gradients that there were when they were set up
            self.model, self.optimizer = set_up(self.fabric, model, optimizer)
            self.replayed_step = self._step()
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
        """The mean loss of a label, of which the second output's, if there is one, has its share."""
        own = sums.loss * self._share(sums.labels)
        if sums.timing is None or self.config.timing is None:
            return own
        timing, weight = sums.timing.loss * self._share(sums.timing.labels), self.config.timing.weight
        return timing if weight == 1 else (1 - weight) * own + weight * timing

    def _share(self, labels: Tensor) -> Tensor:
        # Processes average their gradients; the mean over all their labels weighs each by the labels that it has.
        return self.fabric.world_size / summed(self.fabric, labels).clamp(min=1)


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
    wrapped, wrapped_optimizer = set_up(fabric, model, optimizer)
    criterion = make_criterion(config, model.subsampling)
    if recorder is None and suits_graphs(fabric) and isinstance(optimizer.param_groups[0]["lr"], Tensor):
        recorder = CudaRecorder(fabric.device)
    return Trainer(config, fabric, wrapped, wrapped_optimizer, criterion, freezing, moving, spec_augment, recorder)


def set_up(
    fabric: Fabric, model: AcousticModel, optimizer: torch.optim.Optimizer
) -> tuple[_FabricModule, _FabricOptimizer]:
    """Hands a model, which may be in use already, and its optimiser to Fabric."""
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    wrapped.mark_forward_method("forward_windows")
    wrapped.mark_forward_method("forward_timed")
    return wrapped, wrapped_optimizer


def suits_graphs(fabric: Fabric) -> bool:
    """Whether steps can be CUDA graphs: several processes exchange gradients outside of them."""
    return fabric.device.type == "cuda" and fabric.world_size == 1


def fit(
    config: RecipeConfig,
    fabric: Fabric,
    model: AcousticModel,
    train_set: EpochSets,
    dev_set: Batching,
    out_dir: Path,
    fingerprint: str,
    recorder: Recorder | None = None,
) -> Progress:
    """Trains for all epochs or until the dev set stops improving; leaves the best weights, or a mean, in `model`.

    After every epoch checkpoints/last.safetensors holds the state, from which a training with the same fingerprint
    resumes. The `recorder` is as in `make_trainer`. Raises InputError when the loss is no longer finite or a minibatch
    does not fit in memory.
    """
    settings, folder = config.training, out_dir / "checkpoints"
    model.to(fabric.device)
    groups = parameter_groups(model, settings)
    optimizer = make_optimizer(settings.optimizer, groups, capturable=None if recorder is None else True)
    moving = MovingAverage(model, settings.moving_average) if settings.moving_average else None
    trained = Trained(model, optimizer, moving)
    last = folder / "last.safetensors"
    progress = load_checkpoint(last, trained, fingerprint, settings) or Progress(settings.optimizer.learning_rate)
    metrics = MetricsLog(out_dir, progress.epoch) if fabric.is_global_zero else None
    masks = config.augmentation.spec_augment
    spec_augment = None if masks is None else SpecAugment(masks, config.features)
    trainer = make_trainer(settings, fabric, model, optimizer, moving, spec_augment, recorder, progress.updates)
    with closing(metrics) if metrics is not None else nullcontext():
        while progress.goes_on(settings):
            torch.manual_seed(config.seed * SEEDS_PER_RUN + progress.epoch + 1)
            forget_peak_memory(fabric.device)
            started = time.perf_counter()
            train = train_epoch(trainer, train_set.for_epoch(progress.epoch), progress)
            seconds = time.perf_counter() - started
            with moving.applied() if moving else nullcontext():
                dev = evaluate(trainer, dev_set)
                progress.dev_errors.append(dev.error)
                kept = epochs_to_keep(settings.average, progress.dev_errors)
                if metrics is not None and progress.epoch in kept:
                    save_checked(epoch_path(folder, progress.epoch), model.state_dict(), {})
            progress.learning_rate *= dev_factor(settings.schedule, progress.dev_errors)
            if metrics is not None:
                metrics.add(progress.epoch, trainer.learning_rate, train, dev, seconds, peak_memory(fabric.device))
                save_checkpoint(last, trained, progress, fingerprint)
                forget_epochs(folder, kept)  # not earlier: the replaced checkpoint may have needed them
            fabric.barrier()
    load_average(folder, model, epochs_to_keep(settings.average, progress.dev_errors))
    return progress


def train_epoch(trainer: Trainer, data: Batching, progress: Progress) -> Figures:
    """One pass over all labelled speech in random order. The device is asked for figures once, at the end.

    Raises InputError with the utterances of the first minibatch whose loss is not finite, or with the setting to lower
    when the device runs out of memory.
    """
    config, fabric = trainer.config, trainer.fabric
    trainer.train(progress.updates)
    plan = data.plan(config.batch_size, shuffled=True)
    if fabric.global_rank:  # all processes share the plan; each has its own dropout
        torch.manual_seed(torch.initial_seed() + fabric.global_rank)
    description = f"epoch {progress.epoch + 1}"
    try:
        with trainer.steps():
            steps = torch.zeros(len(plan), 2 + sums_of(config), dtype=torch.float64, device=fabric.device)
            shares = batches(data, plan, fabric.device, fabric.global_rank, fabric.world_size)
            for step, batch in enumerate(track(shares, description, total=len(plan))):
                factor = step_factor(config.schedule, progress.epoch + (step + 0.5) / len(plan), config.epochs)
                trainer.set_learning_rate(progress.learning_rate * factor)
                if trainer.freezing.ends_with(progress.updates):
                    trainer.train(progress.updates)
                (steps[step],) = trainer.replayed_step(batch)
                progress.updates += 1
                if step % GIVE_BACK_EVERY == 0 and fabric.device.type == "cpu":
                    give_back()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise InputError(
            f"training.batch_size: a minibatch does not fit in the memory of {fabric.device}; "
            f"lower it from {config.batch_size}"
        ) from error
    steps = summed(fabric, steps)
    losses, norms, sums = steps[:, 0].cpu(), steps[:, 1], steps[:, 2:]
    if not losses.isfinite().all():
        names = data.utterances(plan[int((~losses.isfinite()).nonzero()[0])])
        raise InputError(
            f"training.optimizer.learning_rate: the loss is not finite in epoch {progress.epoch + 1}; lower it, or "
            f"check the audio of {listed(names)}"
        )
    return Figures.of(sums.sum(dim=0), config, float(norms.mean()) / fabric.world_size)


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


@torch.no_grad()
def evaluate(trainer: Trainer, data: Batching) -> Figures:
    """Loss and error over all labelled speech, without dropout."""
    trainer.model.eval()
    fabric = trainer.fabric
    errors = 0
    plan = data.plan(DEV_BATCH[fabric.device.type], shuffled=False)
    with trainer.steps():
        totals = torch.zeros(sums_of(trainer.config), dtype=torch.float64, device=fabric.device)
        for batch in batches(data, plan, fabric.device, fabric.global_rank, fabric.world_size):
            sums, *best = trainer.replayed_scores(batch)
            totals += sums
            errors += sum(greedy_errors(classes, batch.gathered().labels) for classes in best)
    if trainer.config.loss == "ctc":
        totals[1] = errors
    return Figures.of(summed(fabric, totals), trainer.config)


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


def summed(fabric: Fabric, values: Tensor) -> Tensor:
    """The sum over all processes."""
    if fabric.world_size == 1:
        return values
    total = values.clone()
    torch.distributed.all_reduce(total)  # Fabric's makes the host wait for all processes first
    return total


def scores(model: Model, batch: Batch) -> Scores:
    """The model's scores of a minibatch; those of its second output where that has labels."""
    if batch.lengths is None:
        score: Callable[[Tensor], Tensor] = model.forward_windows
        return Scores(score(batch.inputs), None)
    if batch.timing is None:
        return Scores(*model(batch.inputs, batch.lengths))
    timed: Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]] = model.forward_timed
    return Scores(*timed(batch.inputs, batch.lengths))
