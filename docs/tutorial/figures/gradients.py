"""Deep networks before training: the gradient of each layer, and what a hundred layers do to a small change.

python docs/tutorial/figures/gradients.py OUT.svg
"""

import math
import sys
from pathlib import Path

import torch
from torch import nn

from asr import models
from asr.config import Initializer
from asr.config.models import DeepCnnConfig, DnnConfig
from asr.models.deep_cnn import DeepCnn
from asr.report.axes import Axes, legend
from asr.report.svg import figure, write_figure

FRAMES, BINS, CLASSES = 200, 40, 144
LAYERS, WIDTH = 20, 256
DENSE = (("sigmoid", "xavier"), ("tanh", "xavier"), ("tanh", "glorot"), ("relu", "he"))
DEEP = ("xavier", "glorot", "orthogonal", "delta_orthogonal")
DEEP_LAYERS, DEEP_WIDTH, DEEP_FRAMES = 100, 32, 12
COLOURS = ("var(--c2)", "var(--c5)", "var(--c3)", "var(--c1)")


def main() -> None:
    torch.manual_seed(0)
    dense = {
        f"{activation}, {initializer}": gradients(
            DnnConfig(layers=LAYERS, width=WIDTH, context=5, activation=activation, initializer=initializer, dropout=0)
        )
        for activation, initializer in DENSE
    }
    deep = {name: singular_values(name) for name in DEEP}
    parts = panel(dense, f"{LAYERS} fully connected layers: log10 of the gradient", "layer", 0)
    parts += panel(deep, f"{DEEP_LAYERS} convolutions with tanh: log10 of the singular values", "number", 410)
    write_figure(Path(sys.argv[1]), figure(810, 330, parts, "Gradients by layer, and singular values of the Jacobian"))


def singular_values(initializer: Initializer) -> list[float]:
    """Those of the Jacobian of the last hidden layer by the first one, largest first: by how much changes of the first
    layer's output grow on the way to the last."""
    config = DeepCnnConfig(layers=DEEP_LAYERS, width=DEEP_WIDTH, initializer=initializer)
    model = models.build(config, BINS, CLASSES)
    assert isinstance(model, DeepCnn)
    inside = torch.ones(1, 1, DEEP_FRAMES)
    first = torch.tanh(model.convolutions[0](torch.randn(1, BINS, DEEP_FRAMES)))
    del model.convolutions[0]
    jacobian = torch.autograd.functional.jacobian(lambda hidden: model.convolve(hidden.clone(), inside), first)
    return torch.linalg.svdvals(jacobian.reshape(first.numel(), first.numel())).tolist()


def gradients(config: DnnConfig) -> list[float]:
    """The norm of the loss's gradient by each hidden layer's weights, from the first one on."""
    model = models.build(config, BINS, CLASSES)
    features, targets = torch.randn(1, FRAMES, BINS), torch.randint(CLASSES, (FRAMES,))
    logits, _ = model(features, torch.tensor([FRAMES]))
    nn.functional.cross_entropy(logits[0], targets).backward()
    return [module.weight.grad.norm().item() for module in model.modules() if isinstance(module, nn.Linear)][:-1]


def panel(curves: dict[str, list[float]], title: str, along: str, left: float) -> list[str]:
    deepest = max(map(len, curves.values()))
    axes = Axes(left + 44, 26, 330, 220, (1, deepest), (-12, 1))
    ticks = [1, *range(deepest // 4, deepest + 1, deepest // 4)]
    parts = [*axes.frame(title, along, ticks)]
    names = list(zip(curves, COLOURS, strict=False))
    for name, colour in names:
        points = ((index, max(-12, math.log10(value + 1e-30))) for index, value in enumerate(curves[name], 1))
        parts.append(axes.curve(points, colour))
    for row in range(0, len(names), 2):
        parts += legend(names[row : row + 2], left + 44, 300 + 16 * (row // 2))
    return parts


main()
