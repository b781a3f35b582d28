"""One and a half seconds of speech as samples and as 40 log-mel energies, and the mel filters.

python docs/tutorial/figures/features.py OUT.svg
"""

import sys
from pathlib import Path

import numpy as np
import soundfile
import torch
from drawing import EXAMPLE, LEFT, SECONDS, WIDTH, hand_labels, phones, picture, seconds_axis

from asr.config import FeaturesConfig
from asr.features.frontend import FrontEnd
from asr.features.mel import mel_filters
from asr.report.axes import Axes
from asr.report.svg import figure, text, write_figure


def main() -> None:
    config = FeaturesConfig(type="fbank", bins=40)
    samples, rate = soundfile.read(EXAMPLE, dtype="float32")
    samples = samples[: round(SECONDS * rate)]
    energies, _ = FrontEnd(config)(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
    parts = [*waveform(samples), *log_mel(energies[0].numpy()), *filters(config)]
    write_figure(
        Path(sys.argv[1]),
        figure(LEFT + WIDTH + 20, 470, parts, "A waveform, its log-mel energies, and the mel filters"),
    )


def waveform(samples: np.ndarray) -> list[str]:
    axes = Axes(LEFT, 26, WIDTH, 70, (0, SECONDS), (-1, 1))
    pieces = np.array_split(samples / np.abs(samples).max(), 720)
    times = [SECONDS * (index + 0.5) / len(pieces) for index in range(len(pieces))]
    low, high = [piece.min() for piece in pieces], [piece.max() for piece in pieces]
    return [
        text(LEFT, 16, "waveform"),
        axes.band(times, low, high, "var(--c1)"),
        axes.curve(zip(times, high, strict=True), "var(--c1)"),
        axes.curve(zip(times, low, strict=True), "var(--c1)"),
    ]


def log_mel(energies: np.ndarray) -> list[str]:
    """Energies [T, bins]."""
    low, high = np.quantile(energies, [0.05, 0.995])
    image = picture(energies.T, 132, 150, low, high)
    names = [text(LEFT - 8, 145, "bin 40", "end", "muted"), text(LEFT - 8, 282, "bin 1", "end", "muted")]
    return [
        text(LEFT, 110, "log-mel energies, one column every 10 ms; phones from the labels"),
        image,
        *phones(hand_labels(), 132, 150),
        *names,
        *seconds_axis(282),
    ]


def filters(config: FeaturesConfig) -> list[str]:
    table = mel_filters(config)
    axes = Axes(LEFT, 340, WIDTH, 80, (0, config.sample_rate / 2000), (0, 1))
    kilohertz = np.linspace(0, config.sample_rate / 2000, len(table))
    parts = [*axes.frame("every third of the 40 mel filters", "kHz", range(9))]
    for index in range(0, config.bins, 3):
        used = np.flatnonzero(table[:, index])
        inside = slice(max(used[0] - 1, 0), used[-1] + 2)
        parts.append(axes.curve(zip(kilohertz[inside], table[inside, index], strict=True), f"var(--c{1 + index % 4})"))
    return parts


main()
