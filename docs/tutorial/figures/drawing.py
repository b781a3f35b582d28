"""What the tutorial's figures share: pictures of arrays, and phones above them."""

import base64
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr.formats.phn import SAMPLE_RATE, read_labels
from asr.png import grey_png
from asr.report.svg import line, number, text

WIDTH = 720.0
LEFT = 60.0
EXAMPLE = Path("data/demo/test/dr4/mawb0/sx101.flac")
"""The utterance that the figures show: "My neighbor keeps three noisy geese behind the garage"."""
SECONDS = 1.5
"""How much of it."""


def picture(values: npt.NDArray[np.floating], top: float, height: float, low: float, high: float) -> str:
    """An array [rows, T], the last row at the top; `low` is white and `high` black."""
    shade = ((values[::-1] - low) / (high - low)).clip(0, 1)
    data = base64.b64encode(grey_png((15 * (1 - shade)).round().astype(np.uint8), bits=4)).decode()
    return (
        f'<image x="{number(LEFT)}" y="{number(top)}" width="{number(WIDTH)}" height="{number(height)}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def across(seconds: float) -> float:
    """Where a time is."""
    return LEFT + WIDTH * seconds / SECONDS


def hand_labels(audio: Path = EXAMPLE) -> list[tuple[str, float, float]]:
    """Phones with start and end in seconds, from the .phn file next to the audio, as far as the figure goes."""
    labels = [
        (each.symbol, each.start / SAMPLE_RATE, each.end / SAMPLE_RATE)
        for each in read_labels(audio.with_suffix(".phn"))
    ]
    return [(phone, start, min(end, SECONDS)) for phone, start, end in labels if start < SECONDS]


def phones(labels: Iterable[tuple[str, float, float]], top: float, height: float) -> Iterable[str]:
    """Their names at `top`, and a line at the start of each over the `height` below."""
    for phone, start, end in labels:
        yield line(across(start), top - 12, across(start), top + height)
        yield text(across((start + end) / 2), top - 2, phone, "middle", "muted")


def seconds_axis(bottom: float) -> Iterable[str]:
    for tenths in range(0, round(10 * SECONDS) + 1, 5):
        yield text(across(tenths / 10), bottom + 14, f"{tenths / 10:g} s", "middle", "muted")
