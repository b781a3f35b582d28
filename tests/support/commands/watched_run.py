"""A recipe whose training is watched, and what the first epochs of it measured."""

from typing import Any

from asr.config import CorpusConfig, RecipeConfig

RECIPE = RecipeConfig(corpus=CorpusConfig(name="timit"))


def epochs(count: int) -> list[dict[str, Any]]:
    return [
        {"epoch": epoch, "learning_rate": 0.001, "gradient_norm": 2.5, "frames_per_second": 900.0, "seconds": 2.0}
        | dict.fromkeys(("train_loss", "dev_loss", "train_frame_error", "dev_frame_error"), 3 / epoch)
        for epoch in range(1, count + 1)
    ]
