"""The figure of the learning rate range test."""

import math

from asr.report.axes import Axes, legend, padded
from asr.report.svg import figure
from asr.training.find_lr import Sweep


def learning_rate_curve(sweep: Sweep) -> str:
    """Smoothed training loss against learning rate, with a dashed line at the suggested rate."""
    low, high = sweep.rates[0], sweep.rates[-1]
    axes = Axes(44, 26, 480, 240, (low, high), padded(sweep.losses), log_x=True)
    powers = [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    colour, suggested = "var(--c1)", "var(--c2)"
    parts = [
        *axes.frame("Training loss, smoothed", "learning rate", powers),
        axes.curve(zip(sweep.rates, sweep.losses, strict=True), colour),
        axes.curve([(sweep.suggested, axes.y[0]), (sweep.suggested, axes.y[1])], suggested, "curve dashed"),
        *legend([("loss", colour), (f"suggested: {sweep.suggested:.2g}", suggested)], 44, 312),
    ]
    return figure(540, 322, parts, f"Training loss by learning rate; suggested: {sweep.suggested:.2g}")
