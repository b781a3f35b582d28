"""The learning rate range test (Smith 2017, Cyclical learning rates for training neural networks, section 3.3)."""

import math
from dataclasses import dataclass
from pathlib import Path

from asr.errors import InputError
from asr.storage.files import write_text
from asr.training.data.batching import Batching, batches
from asr.training.trainer import Trainer, train_step

LOWEST, HIGHEST = 1e-6, 10.0
STEPS = 150
SMOOTHING = 0.9
DIVERGED = 4.0
NEIGHBOURHOOD = 16  # steps; over this many, rates grow by a factor of 5


@dataclass(frozen=True)
class Sweep:
    """Smoothed loss (of a label) at each learning rate, and the suggested one."""

    rates: list[float]
    losses: list[float]
    suggested: float


def find_learning_rate(trainer: Trainer, data: Batching) -> Sweep:
    """Trains a few minibatches while the learning rate rises, until the loss diverges.

    Suggests the rate at which the smoothed loss falls fastest. The model is unusable afterwards. Raises InputError when
    the loss never falls.
    """
    trainer.train(update=0)
    rates: list[float] = []
    losses: list[float] = []
    average = 0.0
    plan = data.plan(trainer.config.batch_size, shuffled=True)
    plan = (plan * math.ceil(STEPS / len(plan)))[:STEPS]
    for step, batch in enumerate(batches(data, plan, trainer.fabric.device)):
        rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
        trainer.set_learning_rate(rate)
        loss = float(train_step(trainer, batch)[0])
        average = SMOOTHING * average + (1 - SMOOTHING) * loss
        smooth = average / (1 - SMOOTHING ** (step + 1))
        if not math.isfinite(smooth) or (losses and smooth > DIVERGED * min(losses)):
            break
        rates.append(rate)
        losses.append(smooth)
    return Sweep(rates, losses, steepest(rates, losses))


def steepest(rates: list[float], losses: list[float]) -> float:
    """The rate in the middle of the NEIGHBOURHOOD of steps, before the lowest loss, over which the loss falls most.

    Raises InputError when the loss never falls.
    """
    end = losses.index(min(losses)) + 1 if losses else 0
    falls = [losses[step] - losses[step + NEIGHBOURHOOD] for step in range(end - NEIGHBOURHOOD)]
    if not falls or max(falls) <= 0:
        raise InputError("the loss did not fall at any learning rate; check the data and the model")
    return rates[falls.index(max(falls)) + NEIGHBOURHOOD // 2]


def write_sweep(sweep: Sweep, out_dir: Path) -> None:
    """Writes `out_dir`/learning_rate.tsv: the smoothed loss at each learning rate."""
    rows = (f"{rate:.4g}\t{loss:.4f}\n" for rate, loss in zip(sweep.rates, sweep.losses, strict=True))
    write_text(out_dir / "learning_rate.tsv", "learning_rate\tloss\n" + "".join(rows))
