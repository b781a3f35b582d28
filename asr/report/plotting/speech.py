"""Spectrograms, alone or above the tiers of transcripts, for papers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asr.audio.waveform import Waveform
from asr.corpora.recorded import Recorded
from asr.errors import InputError
from asr.report.pictures import HOP, SAMPLE_RATE, spectrogram
from asr.report.plotting.paper import drawing, inches, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST = 60.0
"""Seconds that a figure shows at most."""
TIER = 0.16
"""Inches."""
PICTURE = 0.32
"""The height of a spectrogram as a share of the figure's width."""
SMALLEST, LEAST_ROOM = 3.5, 2.5
"""Points: the smallest letters, and the room below which a label is left out."""


@dataclass(frozen=True)
class Label:
    """A labelled part of a tier, in seconds; `mark` is the letter of an error."""

    text: str
    start: float
    end: float
    mark: str = ""


@dataclass(frozen=True)
class Tier:
    """A row of labels; `intervals` are the plausible times (s) of its boundaries."""

    name: str
    labels: Sequence[Label]
    intervals: Sequence[tuple[float, float]] = field(default=())


def plot_speech(
    recorded: Recorded, tiers: Sequence[Tier], path: Path, width: str, start: float = 0.0, end: float | None = None
) -> None:
    """Draws the spectrogram of a recording from `start` to `end` (s), 0 to 8 kHz, above some tiers.

    Raises InputError for a file that is no audio, for a part outside it, and for one longer than LONGEST.
    """
    if end is not None and end <= start:
        raise InputError(f"--from {start:g} --to {end:g}: the end must come after the start")
    samples = recorded.part(start, end).samples(SAMPLE_RATE)
    seconds = len(samples) / SAMPLE_RATE
    if seconds > LONGEST:
        raise InputError(
            f"is {seconds:.0f} s long, and a figure shows up to {LONGEST:.0f} s; give --from and --to", recorded.path
        )
    with drawing(width, speech_height(tiers, inches(width))) as figure:
        draw_speech(figure, samples, tiers, start)
        save(figure, path)


def speech_height(tiers: Sequence[Tier], width: float) -> float:
    """The height of a figure for `draw_speech` of some width, in inches."""
    return PICTURE * width + 0.35 + TIER * sum(map(_rows, tiers))


def draw_speech(figure: "Figure", samples: Waveform, tiers: Sequence[Tier], start: float = 0.0) -> None:
    """As `plot_speech`, for samples [S] at SAMPLE_RATE that begin at `start` (s)."""
    width = figure.get_figwidth()
    heights = [PICTURE * width, *(TIER * _rows(tier) for tier in tiers)]
    axes, *below = figure.subplots(1 + len(tiers), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    figure.set_layout_engine("constrained", h_pad=0.01, hspace=0.0)
    _draw_spectrogram(axes, samples, start)
    for tier_axes, tier in zip(below, tiers, strict=True):
        _draw_tier(tier_axes, tier, (start, start + len(samples) / SAMPLE_RATE), width)
    last = below[-1] if below else axes
    last.set_xlabel("Time (s)")
    last.tick_params(bottom=True, labelbottom=True)


def _rows(tier: Tier) -> int:
    return 2 if any(label.mark for label in tier.labels) else 1


def _draw_spectrogram(axes: Any, samples: Waveform, start: float) -> None:
    columns = max(1, -(-len(samples) // HOP))
    ink = spectrogram(samples, columns, HOP)
    half = HOP / SAMPLE_RATE / 2  # a column is centred on its time
    extent = (start - half, start + columns * HOP / SAMPLE_RATE - half, 0.0, SAMPLE_RATE / 2000)
    axes.imshow(ink, cmap="Greys", vmin=0, vmax=1, aspect="auto", extent=extent, interpolation="nearest")
    axes.set_ylabel("kHz")
    axes.tick_params(bottom=False, labelbottom=False)
    axes.set_xlim(start, start + len(samples) / SAMPLE_RATE)


def _draw_tier(axes: Any, tier: Tier, span: tuple[float, float], width: float) -> None:
    rows = _rows(tier)
    axes.set_ylim(0, rows)
    axes.set_yticks([])
    axes.tick_params(bottom=False, labelbottom=False)
    axes.set_ylabel(tier.name, rotation=0, ha="right", va="center", fontsize=6)
    for low, high in tier.intervals:
        axes.axvspan(low, high, color="0.85", linewidth=0)
    points = 72 * 0.85 * width / (span[1] - span[0])
    for label in tier.labels:
        if label.end <= span[0] or label.start >= span[1]:
            continue
        if label.mark:
            axes.axvspan(label.start, label.end, ymin=1 / rows, color="0.85", linewidth=0)
        for time in (label.start, label.end):
            axes.plot([time, time], [rows - 1, rows], color="0", linewidth=0.4)
        middle = (max(label.start, span[0]) + min(label.end, span[1])) / 2
        room = points * (label.end - label.start) / max(1, len(label.text)) / 0.62
        weight = "bold" if label.mark else "normal"
        size = float(np.clip(room, SMALLEST, 6))
        if room >= LEAST_ROOM:
            look = {"fontsize": size, "fontweight": weight, "ha": "center", "va": "center", "clip_on": True}
            axes.text(middle, rows - 0.5, label.text, **look)
        if label.mark:
            axes.text(middle, 0.5, label.mark, ha="center", va="center", fontsize=5, clip_on=True)
