"""Learning rates over a training: by step, and by the dev error after each epoch."""

import math

from asr.config import (
    CosineSchedule,
    NewbobSchedule,
    OneCycleSchedule,
    PlateauSchedule,
    ScheduleConfig,
    StepSchedule,
)

ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = 1e-4


def step_factor(config: ScheduleConfig, epochs_done: float, epochs: int) -> float:
    """The factor on the learning rate after `epochs_done` of `epochs`; `epochs_done` may be a fraction.

    Half a cosine: Loshchilov & Hutter 2017, eq. 5, without restarts. One cycle: Smith & Topin 2019.

    >>> step_factor(CosineSchedule(warmup=2), epochs_done=1, epochs=20)
    0.5
    """
    match config:
        case StepSchedule(every=every, factor=factor):
            return factor ** int(epochs_done / every)
        case CosineSchedule(warmup=warmup, floor=floor):
            if epochs_done < warmup:
                return epochs_done / warmup
            return _half_cosine(1.0, floor, (epochs_done - warmup) / max(epochs - warmup, 1e-9))
        case OneCycleSchedule(rise=rise):
            done = epochs_done / epochs
            if done < rise:
                return _half_cosine(ONE_CYCLE_START, 1.0, done / rise)
            return _half_cosine(1.0, ONE_CYCLE_START * ONE_CYCLE_END, (done - rise) / (1 - rise))
    return 1.0


def dev_factor(config: ScheduleConfig, errors: list[float]) -> float:
    """The lasting factor on the learning rate after an epoch, from the dev set's errors (per cent) so far.

    >>> dev_factor(NewbobSchedule(), [60.0, 50.0]), dev_factor(NewbobSchedule(), [60.0, 50.0, 49.99])
    (1.0, 0.5)
    """
    match config:
        case NewbobSchedule(factor=factor, threshold=threshold):
            previous, current = [100.0, *errors][-2:]
            return factor if previous - current < threshold * previous else 1.0
        case PlateauSchedule(factor=factor, patience=patience):
            since_best = len(errors) - 1 - errors.index(min(errors))
            return factor if since_best > 0 and since_best % patience == 0 else 1.0
    return 1.0


def _half_cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
