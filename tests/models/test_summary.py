"""`asr model show` counts what can be counted by hand."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor, nn
from typer.testing import CliRunner

from asr.cli.model import app
from asr.config import FeaturesConfig, ModelConfig
from asr.models import AcousticModel, build
from asr.models.summary import ModelSummary, summarize

FRAMES = 100  # a second


def summary_of(config: dict[str, Any], **features: Any) -> ModelSummary:
    settings = FeaturesConfig.model_validate({"bins": 8, **features})
    return summarize(build(TypeAdapter(ModelConfig).validate_python(config), settings.dim, 5), settings)


def test_dnn() -> None:
    summary = summary_of({"type": "dnn", "layers": 1, "width": 16, "context": 2, "dropout": 0.1})
    products = 40 * 16 + 16 * 5
    assert summary.parameters == products + 16 + 5
    assert summary.flops == summary.window_flops == 2 * products * FRAMES
    assert summary.receptive_field == 4 * 10 + 25
    assert [(layer.kind, layer.output, layer.parameters) for layer in summary.layers] == [
        ("Linear", (16,), 656),
        ("ReLU", (16,), 0),
        ("Linear", (5,), 85),
    ]


def test_cnn_shares_convolutions_between_windows() -> None:
    convolutions = [{"filters": 4, "kernel": [3, 2], "pooling": "max", "pool_size": [1, 2]}]
    summary = summary_of({"type": "cnn", "context": 2, "layers": 0, "convolutions": convolutions})
    convolution, output = 4 * 6 * 7, 4 * 3 * 3 * 5
    assert summary.flops == 2 * (convolution + output) * FRAMES
    assert summary.window_flops == 2 * (3 * convolution + output) * FRAMES
    assert [layer.output for layer in summary.layers] == [(4, 3, 7), (4, 3, 7), (4, 3, 3), (5,)]
    assert sum(layer.flops for layer in summary.layers) == summary.flops
    assert sum(layer.parameters for layer in summary.layers) == summary.parameters


def test_deep_cnn() -> None:
    summary = summary_of({"type": "deep_cnn", "layers": 3, "width": 4}, deltas=2)
    assert summary.flops == 2 * (24 * 4 * 3 + 2 * 4 * 4 * 3 + 4 * 5) * FRAMES
    assert summary.window_flops is None
    assert summary.receptive_field == (2 * 3 + 8) * 10 + 25  # deltas of order 2 read 4 frames more on each side


def test_attention_counts() -> None:
    config = {"type": "conformer", "layers": 1, "width": 8, "heads": 2, "feed_forward": 4, "subsampling": 1}
    attention = next(layer for layer in summary_of(config).layers if layer.name == "blocks.0.attention")
    assert attention.flops == 2 * 2 * 8 * ((2 * FRAMES) ** 2 - FRAMES**2)  # queries by keys, weights by values


class Recurrent(AcousticModel):
    """Library recurrences, weights that no layer of their own reads, and half the frame rate."""

    subsampling = 2

    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]) -> None:
        super().__init__()
        self.recurrence = kind(8, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.free = nn.Parameter(torch.zeros(12, 5))

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        hidden, _ = self.recurrence(features[:, ::2])
        return hidden @ self.free, lengths // 2


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrences_count(kind: type[nn.LSTM] | type[nn.GRU] | type[nn.RNN], gates: int) -> None:
    summary = summarize(Recurrent(kind), FeaturesConfig(bins=8))
    products = 2 * gates * 6 * (8 + 6) + 2 * gates * 6 * (12 + 6)
    assert summary.flops == 2 * (products + 12 * 5) * FRAMES / 2
    assert summary.receptive_field is None
    assert [(layer.name, layer.parameters, layer.output) for layer in summary.layers] == [
        ("", 60, (50, 5)),
        ("recurrence", summary.parameters - 60, (50, 12)),
    ]


def test_command_prints_the_layers(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("corpus: {name: timit}\nmodel: {type: deep_cnn, layers: 5, width: 8}\n")
    result = CliRunner().invoke(app, ["show", str(recipe), "--set", "model.layers=7"])
    assert result.exit_code == 0
    assert "convolutions.1 to 6" in " ".join(result.stdout.split())
    assert "165 ms" in result.stdout
    assert "GFLOP" in result.stdout
