"""The size of the gradient in each layer of deep networks before training, for several non-linearities and initial weights.

python docs/tutorial/figures/gradients.py OUT.svg
"""

import math
import sys
from pathlib import Path

import torch
from torch import nn

from asr import models
from asr.config.models import DeepCnnConfig, DnnConfig
from asr.report.axes import Axes, legend
from asr.report.svg import figure, write_figure

FRAMES, BINS, CLASSES = 200, 40, 144
LAYERS, WIDTH = 20, 256
DENSE = (("sigmoid", "xavier"), ("tanh", "xavier"), ("tanh", "glorot"), ("relu", "he"))
DEEP = ("glorot", "orthogonal", "delta_orthogonal")
COLOURS = ("var(--c2)", "var(--c5)", "var(--c3)", "var(--c1)")


def main() -> None:
    torch.manual_seed(0)
    dense = {
        f"{activation}, {initializer}": gradients(
            DnnConfig(layers=LAYERS, width=WIDTH, context=5, activation=activation, initializer=initializer, dropout=0)
        )
        for activation, initializer in DENSE
    }
    deep = {name: gradients(DeepCnnConfig(layers=100, width=64, initializer=name)) for name in DEEP}
    parts = [*panel(dense, f"{LAYERS} fully connected layers", 0), *panel(deep, "100 convolutions with tanh", 410)]
    write_figure(Path(sys.argv[1]), figure(810, 330, parts, "Gradients of the weights by layer"))


def gradients(config: DnnConfig | DeepCnnConfig) -> list[float]:
    """The norm of the loss's gradient by each layer's weights, from the first layer on, relative to the largest."""
    model = models.build(config, BINS, CLASSES)
    features, targets = torch.randn(1, FRAMES, BINS), torch.randint(CLASSES, (FRAMES,))
    logits, _ = model(features, torch.tensor([FRAMES]))
    nn.functional.cross_entropy(logits[0], targets).backward()
    norms = [
        module.weight.grad.norm().item() for module in model.modules() if isinstance(module, nn.Linear | nn.Conv1d)
    ][:-1]
    return [norm / max(norms) for norm in norms]


def panel(curves: dict[str, list[float]], title: str, left: float) -> list[str]:
    deepest = max(map(len, curves.values()))
    axes = Axes(left + 44, 26, 330, 220, (1, deepest), (-12, 0))
    ticks = [1, *range(deepest // 4, deepest + 1, deepest // 4)]
    parts = [*axes.frame(f"{title}: log10 of the gradient", "layer", ticks)]
    names = list(zip(curves, COLOURS, strict=False))
    for name, colour in names:
        points = ((index, max(-12, math.log10(value + 1e-30))) for index, value in enumerate(curves[name], 1))
        parts.append(axes.curve(points, colour))
    for row in range(0, len(names), 2):
        parts += legend(names[row : row + 2], left + 44, 300 + 16 * (row // 2))
    return parts


main()
