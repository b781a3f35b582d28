"""The training loop: plain, the same for every model, batching and loss; on a CPU, resuming changes no bit."""

import time
from contextlib import closing, nullcontext
from pathlib import Path

import torch
from lightning_fabric import Fabric

from asr.config import RecipeConfig
from asr.errors import InputError, is_out_of_memory, listed
from asr.features.spec_augment import SpecAugment
from asr.models import AcousticModel
from asr.progress import track
from asr.storage.weights import save_checked
from asr.training.averaging import MovingAverage, epoch_path, epochs_to_keep, forget_epochs, load_average
from asr.training.checkpoint import Progress, Trained, load_checkpoint, save_checkpoint
from asr.training.data.batching import Batching, EpochSets, batches
from asr.training.data.memory import forget_peak_memory, give_back, peak_memory
from asr.training.exchange import begin_alike, summed
from asr.training.graphs import Recorder
from asr.training.losses import greedy_errors
from asr.training.metrics import Figures, MetricsLog
from asr.training.optimizers import make_optimizer, parameter_groups
from asr.training.schedules import dev_factor, step_factor
from asr.training.trainer import Trainer, make_trainer, sums_of

DEV_BATCH = {"cpu": 4096, "cuda": 16_384}
"""Frames in a minibatch of the dev set."""
GIVE_BACK_EVERY = 16
"""Steps after which a CPU's freed memory goes back to the system."""
SEEDS_PER_RUN = 1_000_003


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
    begin_alike(fabric, model)
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
    with closing(trainer), closing(metrics) if metrics is not None else nullcontext():
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
